"""Tests of cds_service.advice."""
