"""What of a list was understood: an entry that was not may mean anything, so it is never told as absent (DEC-37)."""

from __future__ import annotations

from typing import Literal

from fhir_mappings.code_systems import CONCEPT, ICD_DIAGNOSES, KNOWN, SNOMED_CT, canonical, normalised
from fhir_mappings.concept_maps import Vocabulary
from fhir_mappings.icd_editions import is_classified
from fhir_mappings.reviewed_codes import REVIEWED

Why = Literal[
    "unread",  # the entry cannot be read, or is of another FHIR version
    "masked",  # withheld: a security label or a data-absent-reason stands in its place
    "words-only",  # no code at all
    "system-not-read",  # every code is of a system that is not read here
    "code-not-listed",  # a system that is read, a code that is in no list
    "modifier-unknown",  # a modifierExtension could turn its meaning
    "subject-unclear",  # it does not say whose it is
    "not-sent",  # Bundle.total says that there is more than came
]
_NO_INFORMATION = frozenset({"no-problem-info", "no-medication-info", "no-procedure-info", "no-allergy-info"})
ABSENT_IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
DATA_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def why_not_understood(system: str | None, code: str | None, words: Vocabulary) -> Why | None:
    """Why one coding says nothing that is known here; None where it is classified, with or without an idea."""
    if not system or not code:
        return "words-only"
    if words.ideas(system, code) or words.maps.translate(system, code):
        return None
    uri = canonical(system)
    code = normalised(uri, code)
    if uri == ABSENT_IPS:
        return "unread" if code in _NO_INFORMATION else None
    if uri == DATA_ABSENT:
        return "masked"
    if uri in ICD_DIAGNOSES:
        return None if is_classified(uri, code) else "code-not-listed"
    if uri == SNOMED_CT and (uri, code) in REVIEWED:
        return None
    return "code-not-listed" if uri in KNOWN - {CONCEPT} else "system-not-read"
