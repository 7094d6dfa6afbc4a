"""CDS Hooks in, cards out: joins the FHIR mapping with the models and writes the answer; start at answer.py."""
