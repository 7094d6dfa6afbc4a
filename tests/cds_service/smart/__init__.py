"""Tests of cds_service.smart."""
