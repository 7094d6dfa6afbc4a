"""Tests of cds_service.commands."""
