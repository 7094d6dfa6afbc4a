"""Tests of cds_service.tenants."""
