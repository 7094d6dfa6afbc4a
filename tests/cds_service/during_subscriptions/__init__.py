"""Tests of the Subscriptions that tell of operations."""
