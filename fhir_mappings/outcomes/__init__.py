"""What came of an operation, read from FHIR R4 by a written definition per outcome; what nobody saw is unknown."""
