"""What people look at: model pages, the workbench, the risk profile. Server-rendered, readable without scripts."""
