"""An assessment becomes words: one card, its detail, its suggestions, and the result as data."""
