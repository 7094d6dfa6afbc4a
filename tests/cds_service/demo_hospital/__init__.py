"""Tests of the invented hospital."""
