"""Results: which Observation speaks of which input, its number in the unit, and which of several is taken."""
