"""Tests of cds_service.answering."""
