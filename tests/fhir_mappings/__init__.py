"""Tests of fhir_mappings, one file per module."""
