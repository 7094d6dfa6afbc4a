"""The code systems that are read, and the other names under which the same systems arrive."""

from __future__ import annotations

from fhir_mappings.terminology.icd_editions import EDITIONS, ICD_9_CM
from fhir_mappings.terminology.icd_spelling import (
    ICD_10,
    ICD_10_AM,
    ICD_10_CA,
    ICD_10_CM,
    ICD_10_FR,
    ICD_10_GM,
    ICD_10_JP,
    ICD_10_NL,
    ICD_10_NO,
    ICD_10_SE,
    ICD_10_UK,
    SKS,
    spelled,
)
from fhir_mappings.terminology.remembering import remembered

__all__ = ["ICD_9_CM", "ICD_10", "ICD_10_CM", "canonical", "normalised"]

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
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

ICD_DIAGNOSES = EDITIONS | {ICD_9_CM}
KNOWN = frozenset({LOINC, SNOMED_CT, ICD_10_PCS, CPT, HCPCS, RXNORM, NDC, ATC, UCUM, CONCEPT}) | ICD_DIAGNOSES

# By what name a tenant says that a URI of its own is one of these systems (`code_systems` in its file, DEC-41).
NAMES = {
    "loinc": LOINC,
    "snomed-ct": SNOMED_CT,
    "icd-9-cm": ICD_9_CM,
    "icd-10": ICD_10,
    "icd-10-cm": ICD_10_CM,
    "icd-10-gm": ICD_10_GM,
    "icd-10-am": ICD_10_AM,
    "icd-10-ca": ICD_10_CA,
    "icd-10-uk": ICD_10_UK,
    "icd-10-fr": ICD_10_FR,
    "icd-10-nl": ICD_10_NL,
    "icd-10-se": ICD_10_SE,
    "icd-10-no": ICD_10_NO,
    "icd-10-jp": ICD_10_JP,
    "sks": SKS,
    "icd-10-pcs": ICD_10_PCS,
    "cpt": CPT,
    "hcpcs": HCPCS,
    "rxnorm": RXNORM,
    "ndc": NDC,
    "atc": ATC,
}

# Names by which a code system arrives (messy case 3): object identifiers are HL7's registered ones; the SNOMED URI
# without "sct" is what the SMART demo data hold. A national name stands with where it is used.
_ALIASES = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED_CT,
    "http://snomed.info": SNOMED_CT,
    "http://www.snomed.org": SNOMED_CT,  # converters of C-CDA; https://github.com/HL7/ccda-on-fhir, its samples
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.3": ICD_10,
    "http://terminology.hl7.org/CodeSystem/icd10": ICD_10,  # https://terminology.hl7.org/NamingSystem-icd10.html
    "urn:oid:2.16.840.1.113883.6.103": ICD_9_CM,
    "http://fhir.de/CodeSystem/dimdi/icd-10-gm": ICD_10_GM,  # https://hl7.org/fhir/R4/icd.html
    "http://hl7.org/fhir/sid/icd-10-gm": ICD_10_GM,  # German implementations before fhir.de
    "http://hl7.org/fhir/sid/icd-10-de": ICD_10_GM,  # the same
    "urn:oid:1.2.276.0.76.5.311": ICD_10_GM,  # ICD-10-GM 2006; each year had an identifier of its own
    "urn:oid:2.16.840.1.113883.6.135": ICD_10_AM,  # HL7's registry, ICD10AM
    "urn:oid:2.16.840.1.113883.6.3.2": ICD_10_NL,  # https://hl7.org/fhir/R4B/icd.html
    "urn:oid:1.2.752.116.1.1.1.1.3": ICD_10_SE,  # Socialstyrelsen; RIV-TA service contracts (Inera)
    "urn:oid:1.2.752.116.1.1.1.1.8": ICD_10_SE,  # accepted beside it by Inera's certificate service
    "urn:oid:2.16.578.1.12.4.1.1.7110": ICD_10_NO,  # Volven; HL7Norway/kodeverk
    "urn:oid:1.2.208.176.2.4.12": SKS,  # https://github.com/hl7dk/KL-dk: the D hierarchy of SKS
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-3digits": ICD_10_JP,  # JP Core, list of code systems
    "http://hl7.org/fhir/sid/icd-10-pcs": ICD_10_PCS,
    "urn:oid:2.16.840.1.113883.6.4": ICD_10_PCS,
    "urn:oid:2.16.840.1.113883.6.12": CPT,
    "urn:oid:2.16.840.1.113883.6.285": HCPCS,
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs": HCPCS,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "http://fhir.de/CodeSystem/bfarm/atc": ATC,  # German basic profiles (de.basisprofil.r4)
    "http://fhir.de/CodeSystem/dimdi/atc": ATC,  # the same, before 2021
    "https://smt.esante.gouv.fr/terminologie-atc": ATC,  # ANS, France
    "urn:oid:2.16.578.1.12.4.1.1.7180": ATC,  # Volven, Norway
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
}


def compared(uri: str) -> str:
    """A URI without what makes no other system of it: https, capitals, a version behind a bar, `urn:oid:`."""
    uri = uri.strip().partition("|")[0].rstrip("/").lower()
    return "http://" + uri[8:] if uri.startswith("https://") else uri.removeprefix("urn:oid:")


_BY_KEY = {compared(uri): known for uri, known in [*((one, one) for one in KNOWN), *_ALIASES.items()]}
_SNOMED_EDITION = compared(SNOMED_CT) + "/"


@remembered(most=4096)
def canonical(system: str | None) -> str:
    """The one URI of a code system; what is unknown comes back as it was (a tenant may map it), absent as "".

    A version or edition behind a bar, `https://`, capitals and a trailing slash make no other system of a known one.
    """
    if not system:
        return ""
    key = compared(system)
    if key.startswith(_SNOMED_EDITION):  # an edition or a version of it
        return SNOMED_CT
    return _BY_KEY.get(key) or system.strip().rstrip("/")


def normalised(system: str, code: str) -> str:
    """A code as its value sets spell it: ICD without dots and in upper case, others without outer blanks."""
    if system in EDITIONS:
        return spelled(system, code)
    code = code.strip()
    if system in (ICD_9_CM, ICD_10_PCS):
        return code.replace(".", "").replace(" ", "").upper()
    return code.upper() if system == ATC else code
