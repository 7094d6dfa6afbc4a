"""Tests of fhir_mappings.patient."""
