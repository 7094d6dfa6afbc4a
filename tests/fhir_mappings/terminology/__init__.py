"""Tests of fhir_mappings.terminology."""
