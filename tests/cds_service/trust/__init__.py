"""Tests of cds_service.trust."""
