"""Codes and units: systems, value sets, maps, drug classes, and what of a list was understood."""
