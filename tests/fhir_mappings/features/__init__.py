"""Tests of fhir_mappings.features."""
