"""Hospitals of which the truth is known, and how soon their charts say it: `python -m tests.simulations`."""
