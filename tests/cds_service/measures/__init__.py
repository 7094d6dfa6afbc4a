"""Tests of cds_service.measures."""
