"""Tests of fhir_mappings.fhir."""
