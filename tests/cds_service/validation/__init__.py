"""Tests of cds_service.validation."""
