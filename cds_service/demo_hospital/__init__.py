"""A whole invented hospital: 2,000 operations over 40 weeks, whose truth is known because it was drawn."""
