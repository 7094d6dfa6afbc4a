"""One patient's record, and its families: diagnoses, medicines, procedures, answers, findings."""
