"""Tests of cds_service.patient_data."""
