"""Tests of smart."""
