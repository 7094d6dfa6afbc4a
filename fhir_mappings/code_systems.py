"""The code systems that are read, and the other names under which the same systems arrive."""

from __future__ import annotations

from fhir_mappings.remembering import remembered

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"

# What a site's own code may be mapped to directly: the clinical ideas of value_sets/, by their id.
CONCEPT = "https://surgical-risk.io/fhir/CodeSystem/concept"
# The source system of a ConceptMap group whose "codes" are exact texts of a CodeableConcept (messy case 1).
TEXT = "https://surgical-risk.io/fhir/CodeSystem/exact-text"

ICD_DIAGNOSES = frozenset({ICD_10_CM, ICD_10, ICD_9_CM})
KNOWN = frozenset({LOINC, SNOMED_CT, ICD_10_PCS, CPT, HCPCS, RXNORM, NDC, ATC, UCUM, CONCEPT}) | ICD_DIAGNOSES

# The table of clinical/codes.md: object identifiers are HL7's registered ones; the SNOMED URI without "sct"
# is what the SMART demo data hold (messy case 3).
_ALIASES = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED_CT,
    "http://snomed.info": SNOMED_CT,
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.3": ICD_10,
    "urn:oid:2.16.840.1.113883.6.103": ICD_9_CM,
    "http://hl7.org/fhir/sid/icd-10-pcs": ICD_10_PCS,
    "urn:oid:2.16.840.1.113883.6.4": ICD_10_PCS,
    "urn:oid:2.16.840.1.113883.6.12": CPT,
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs": HCPCS,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
}


@remembered(most=4096)
def canonical(system: str | None) -> str:
    """The one URI of a code system; what is unknown comes back as it was (a tenant may map it), absent as ""."""
    if not system:
        return ""
    uri = system.strip().rstrip("/")
    if uri.startswith(SNOMED_CT + "/"):  # an edition or a version of it
        return SNOMED_CT
    return _ALIASES.get(uri, uri)


def normalised(system: str, code: str) -> str:
    """A code as its value sets spell it: ICD without dots and in upper case, others without outer blanks."""
    code = code.strip()
    if system in ICD_DIAGNOSES or system == ICD_10_PCS:
        return code.replace(".", "").replace(" ", "").upper()
    return code.upper() if system == ATC else code
