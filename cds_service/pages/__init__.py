"""What people look at: model pages, evidence, risk management. Server-rendered, readable without scripts."""
