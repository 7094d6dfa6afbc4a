"""FHIR in, features out: resources, code systems and units become named clinical features."""
