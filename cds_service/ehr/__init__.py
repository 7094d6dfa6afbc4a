"""An EHR as far as CDS Hooks goes: for the demo, for `cds-service call`, and for end-to-end tests."""
