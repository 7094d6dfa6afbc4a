"""Tests of cds_service.replay."""
