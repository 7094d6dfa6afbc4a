"""Tests: one file for each module, and what crosses them beside."""
