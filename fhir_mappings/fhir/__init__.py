"""FHIR as it arrives: types, dates, references, and each resource decoded once; nothing clinical."""
