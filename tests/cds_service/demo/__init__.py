"""Tests of cds_service.demo."""
