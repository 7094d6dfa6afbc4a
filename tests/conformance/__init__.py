"""One test for each checklist item that a service can show; docs/conformance.md is made from their names."""
