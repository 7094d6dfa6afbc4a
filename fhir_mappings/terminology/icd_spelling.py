"""How the codes of each edition of ICD-10 are written, and the one spelling in which they are compared."""

from __future__ import annotations

import re

# The URI of each edition that is read. Where HL7 has registered none, the one that public implementations use.
ICD_10 = "http://hl7.org/fhir/sid/icd-10"  # https://terminology.hl7.org/NamingSystem-icd10.html
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"  # https://terminology.hl7.org/CodeSystem-icd10CM.html
ICD_10_GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"  # https://build.fhir.org/ig/hl7germany/terminologie-basis-de/
ICD_10_AM = "http://hl7.org/fhir/sid/icd-10-am"  # nphies (Saudi Arabia, ICD-10-AM by CHI), New Zealand, Australia
ICD_10_CA = "http://hl7.org/fhir/sid/icd-10-ca"  # public implementations; not registered
ICD_10_UK = "http://hl7.org/fhir/sid/icd-10-uk"  # NHS terminology server (ontology.nhs.uk)
ICD_10_FR = "https://smt.esante.gouv.fr/terminologie-cim-10"  # ANS, CodeSystem CIM_10_FR_PMSI
ICD_10_NL = "http://hl7.org/fhir/sid/icd-10-nl"  # https://hl7.org/fhir/R4B/icd.html
ICD_10_SE = "http://hl7.org/fhir/sid/icd-10-se"  # public implementations; registered is the object identifier only
ICD_10_NO = "http://hl7.org/fhir/sid/icd-10-no"  # HL7Norway/kodeverk, no-kodeverk-icd-10
SKS = "urn:oid:1.2.208.176.2.4"  # https://github.com/hl7dk/dk-core: SKS, whose diagnoses begin with D
ICD_10_JP = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"  # JP Core, JP-CLINS

COLUMNS = {
    "who": ICD_10,
    "cm": ICD_10_CM,
    "gm": ICD_10_GM,
    "am": ICD_10_AM,
    "ca": ICD_10_CA,
    "uk": ICD_10_UK,
    "fr": ICD_10_FR,
    "nl": ICD_10_NL,
    "se": ICD_10_SE,
    "no": ICD_10_NO,
    "dk": SKS,
    "jp": ICD_10_JP,
}
# https://www.cms.gov/medicare/coding-billing/icd-10-codes: a letter, a digit, a digit or letter, then up to four more.
# Others: the longest code in the list of the edition that icd_categories.csv names.
FORMS = {
    ICD_10: re.compile(r"[A-Z]\d{2,5}"),
    ICD_10_CM: re.compile(r"[A-Z]\d[0-9A-Z]{1,5}"),
    ICD_10_GM: re.compile(r"[A-Z]\d{2,4}"),
    ICD_10_AM: re.compile(r"[A-Z]\d{2,4}"),
    ICD_10_CA: re.compile(r"[A-Z]\d{2,6}"),
    ICD_10_UK: re.compile(r"[A-Z]\d{2,4}"),
    ICD_10_FR: re.compile(r"[A-Z]\d{2,5}"),
    ICD_10_NL: re.compile(r"[A-Z]\d{2,4}"),
    ICD_10_SE: re.compile(r"[A-Z]\d{2,4}[A-Z]?"),
    ICD_10_NO: re.compile(r"[A-Z]\d{2,4}"),
    SKS: re.compile(
        r"D[A-Z]\d{2}[0-9A-Z]{0,5}"
    ),  # DI509: D, "Diagnose", and the code; SKS holds much that is no diagnosis
    ICD_10_JP: re.compile(r"[A-Z]\d{2,4}"),
}
_LONGEST = 24  # characters; what is longer is no code
_MARKS = "-+*!†‡#"  # a category written as not terminal; etiology, manifestation and additional code
# Behind a German code: the side (rechts, links, beidseits) and G, assured. V, suspected, A, excluded, and Z, a state
# after it, say something else than the code: such a code is left as it is and understood by nobody.
_GERMAN = re.compile(r"([A-Z]\d{2,4})[-+*!†‡#]?(?:[RLB]?G?|G[RLB])")
_FRENCH_EXTENSION = re.compile(r"\+\d{1,2}$")  # C80+0, I50.1+0: ATIH's own division below a code of WHO
_BRITISH_FILLER = re.compile(r"([A-Z]\d{2})X")  # I10X: NHS files fill codes of three characters up to four


def spelled(edition: str, code: str) -> str:
    """The code of an edition of ICD-10: no dots, blanks and marks, upper case. What is no code stays unlike one."""
    text = code.strip().upper()
    if len(text) > _LONGEST or not text.isprintable():
        return text
    text = text.replace(".", "").replace(" ", "")
    if edition == ICD_10_CM:
        return text
    if edition == ICD_10_GM:
        found = _GERMAN.fullmatch(text)
        return found[1] if found else text
    if edition == ICD_10_FR:
        text = _FRENCH_EXTENSION.sub("", text)
    text = text.rstrip(_MARKS)
    if edition == ICD_10_UK and (found := _BRITISH_FILLER.fullmatch(text)):
        return found[1]
    return text


def in_who_terms(edition: str, code: str) -> str:
    """A spelled code as WHO's ICD-10 would begin it: Danish ones without their D."""
    return code.removeprefix("D") if edition == SKS else code
