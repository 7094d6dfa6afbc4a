"""Every input that models and suggestions ask, each with a value, or with why there is none."""
