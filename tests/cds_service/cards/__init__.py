"""Tests of cds_service.cards."""
