"""Tests of cds_service.records."""
