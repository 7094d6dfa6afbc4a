"""What people look at: the workbench, the model pages, the risk profile."""
