"""Patient data from the prefetch, and from the EHR's FHIR server what the prefetch left out."""
