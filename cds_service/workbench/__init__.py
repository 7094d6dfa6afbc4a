"""The workbench: place an order as an EHR would, and see everything that came of it. Demo and dev tenants only."""
