"""Tests of fhir_mappings.results."""
