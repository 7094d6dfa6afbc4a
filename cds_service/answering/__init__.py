"""Calls and what belongs to an answer around it: the mode in force, the models in force, the row of the record."""
