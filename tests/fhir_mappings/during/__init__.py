"""Tests of fhir_mappings.during."""
