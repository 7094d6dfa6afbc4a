"""What leaves open whether a diagnosis that is coded in full is the patient's, holds now, or is one at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.elements import ABSENT, CodeableConcept, Coding, DiagnosisConcept, Period
from fhir_mappings.fhir.resources import Condition
from fhir_mappings.terminology.code_systems import ICD_9_CM, ICD_DIAGNOSES
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.understanding import why_not_understood

# "Illness, unspecified": https://icd.who.int/browse10/2019/en#/R69; of ICD-9-CM 799.9, "Other unknown and unspecified
# cause". Systems write it where a diagnosis has no code; it says as little as IPS' "no information".
_ICD_10_UNSPECIFIED, _ICD_9_UNSPECIFIED = "R69", "7999"
_BEGINNINGS = ("R69", "r69", "799")
_SAYS_NOTHING = (b"null", b'""', b"{}")
# SNOMED CT "Family history with explicit context" and "Family history of disorder", and LOINC "History of family member
# diseases", as a category; the word itself where a system has its own. Of the family no entry counts (inputs 5).
_FAMILY = frozenset({"family-history", "57177007", "416471007", "10157-6"})

# http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit, an extension of a Coding, with the codes of
# https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT: excluded, suspected, assured, state after, which
# says that the illness itself may be over (BfArM, coding question ICD-10-GM no. 1001).
Certainty = Literal["excluded", "suspected", "assured", "state-after", "unclear"]
_CERTAINTY = "/icd-10-gm-diagnosesicherheit"
_CERTAINTIES: dict[str, Certainty] = {"A": "excluded", "V": "suspected", "G": "assured", "Z": "state-after"}


class _Certain(Struct, frozen=True, gc=False, rename="camel"):
    url: str | None = None
    value_coding: Coding | None = None
    value_code: str | None = None


_EXTENSIONS = msgspec.json.Decoder(tuple[_Certain, ...])


def is_unspecified(concept: CodeableConcept, words: Vocabulary) -> bool:
    """Whether all that is understood of the codes is that something is ill."""
    if not [one for one in concept.coding if one.code and one.code[:3] in _BEGINNINGS]:
        return False
    systems = [(words.maps.canonical(one.system), one.system, one.code) for one in concept.coding]
    known = [(uri, code) for uri, system, code in systems if why_not_understood(system, code, words) is None]
    return bool(known) and all(_says_nothing(uri, code or "") for uri, code in known)


def _says_nothing(uri: str, code: str) -> bool:
    plain = code.strip().upper().replace(".", "").rstrip("-")
    return uri in ICD_DIAGNOSES and plain == (_ICD_9_UNSPECIFIED if uri == ICD_9_CM else _ICD_10_UNSPECIFIED)


def is_of_the_family(condition: Condition) -> bool:
    """Whether the entry says by its category that it is about relatives."""
    return any(coding.code in _FAMILY for category in condition.category for coding in category.coding)


def certainty(concept: DiagnosisConcept) -> Certainty | None:
    """How certain German records say that its codes are; `unclear` where they differ or it is not read, None unsaid."""
    told: set[Certainty] = set()
    for coding in concept.coding:
        if coding.extension:
            told.update(_certainties(bytes(coding.extension)))
    if len(told) < 2:
        return next(iter(told), None)
    return "suspected" if told == {"suspected", "excluded"} else "unclear"


def _certainties(written: bytes) -> Iterator[Certainty]:
    try:
        extensions = _EXTENSIONS.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if _CERTAINTY.encode() in written.lower():
            yield "unclear"
        return
    for one in extensions:
        if one.url is not None and one.url.strip().lower().rstrip("/").endswith(_CERTAINTY):
            code = (one.value_coding.code if one.value_coding else one.value_code) or ""
            yield _CERTAINTIES.get(code.strip().upper(), "unclear")


def is_any_written(age: Raw, span: Raw, text: Raw) -> bool:
    """Whether any of these members is there and says anything: a null, or nothing within it, does not."""
    if age is span is text is ABSENT:  # nearly always
        return False
    return any(one is not ABSENT and bytes(one) not in _SAYS_NOTHING for one in (age, span, text))


def has_status(condition: Condition) -> bool:
    """Whether a clinical status stands there in codes, be they HL7's or others; words alone are none (inputs 5)."""
    return condition.clinical_status is not None and bool(condition.clinical_status.coding)


def tells_of_onset(condition: Condition) -> bool:
    """Whether anything is said of when it began."""
    other = is_any_written(condition.onset_age, condition.onset_range, condition.onset_string)
    return other or _is_told(condition.onset_date_time, condition.onset_period)


def tells_of_end(condition: Condition) -> bool:
    """Whether anything is said of when it ended."""
    other = is_any_written(condition.abatement_age, condition.abatement_range, condition.abatement_string)
    return other or _is_told(condition.abatement_date_time, condition.abatement_period)


def has_unread_end(condition: Condition) -> bool:
    """Whether an end is told that is not read, of a condition without a readable date."""
    period = condition.abatement_period
    if condition.abatement_date_time or (period is not None and period.end):
        return True
    return is_any_written(condition.abatement_age, condition.abatement_range, condition.abatement_string)


def as_text(written: Raw) -> str | None:
    """What is written, if it is a text: a date may stand in the place of words."""
    if written is ABSENT:
        return None
    try:
        return msgspec.json.decode(written, type=str).strip()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _is_told(text: str | None, period: Period | None) -> bool:
    return bool(text) or (period is not None and bool(period.start or period.end))
