"""What may be said of a patient's risk: the assessment, when to be silent, which options are worth a word."""
