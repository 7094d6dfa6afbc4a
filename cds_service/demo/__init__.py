"""Demo mode: invented people in a small FHIR store, and one real order fired through the front door."""
