"""Tests of fhir_mappings.orders."""
