"""What may be said of a patient's risk, and how it is said."""
