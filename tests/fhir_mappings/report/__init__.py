"""Tests of fhir_mappings.report."""
