"""The CDS Hooks protocol, version 2.0.1; nothing clinical."""
