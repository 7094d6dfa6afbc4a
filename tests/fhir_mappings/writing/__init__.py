"""Tests of fhir_mappings.writing."""
