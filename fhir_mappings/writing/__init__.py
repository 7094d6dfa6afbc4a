"""FHIR as we write it."""
