"""What of a list was understood: an entry that was not may mean anything, so nothing is told as absent (DEC-37)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept, MedicineConcept
from fhir_mappings.terminology.code_systems import (
    CONCEPT,
    ICD_10_PCS,
    ICD_DIAGNOSES,
    KNOWN,
    SNOMED_CT,
    canonical,
    compared,
    normalised,
)
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.icd_editions import is_classified
from fhir_mappings.terminology.listed_codes import is_listed
from fhir_mappings.terminology.reviewed_codes import is_reviewed

Why = Literal[
    "unread",  # the entry cannot be read, is of another FHIR version, or stands for "no information"
    "masked",  # withheld: a data-absent-reason stands in the place of the code
    "words-only",  # no code at all
    "system-not-read",  # every code is of a system that is not read here
    "code-not-listed",  # a system that is read, a code that is in no list
    "modifier-unknown",  # something that could turn its meaning: a modifierExtension, a status of another system
    "subject-unclear",  # it does not say whose it is
    "not-sent",  # the server says that there is more than came
]
ABSENT_OR_UNKNOWN = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
DATA_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NULL_FLAVOR = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
# https://terminology.hl7.org/NamingSystem-v3-NullFlavor.html (the OID); the last two are what STU3 called them,
# https://hl7.org/fhir/STU3/terminologies-systems.html
_REASONS_FOR_ABSENCE = frozenset(
    map(
        compared,
        (
            DATA_ABSENT,
            NULL_FLAVOR,
            "urn:oid:2.16.840.1.113883.5.1008",
            "http://hl7.org/fhir/data-absent-reason",
            "http://hl7.org/fhir/v3/NullFlavor",
        ),
    )
)
# https://hl7.org/fhir/uv/ips/CodeSystem-absent-unknown-uv-ips.html: "no-known-…" is an answer, "no-…-info" is none.
_ABSENT_OR_UNKNOWN = compared(ABSENT_OR_UNKNOWN)
_NONE_KNOWN = "no-known-"
# What IPS says in SNOMED CT in their place: no current problems, no known medications, no known procedures.
# https://hl7.org/fhir/uv/ips/ValueSet-absent-or-unknown-snomed-uv-ips.html
_NONE_IN_SNOMED = frozenset({"160245001", "787481004", "787480003"})
# https://www.cms.gov/medicare/coding-billing/icd-10-codes (PCS): seven characters without I and O, of which the first
# names one of seventeen sections. Of the section of operations, the body systems in which the spine, its joints, discs,
# cord and nerves lie: there a code in no list could be an operation of the spine.
_PCS = re.compile(r"[0-9BCDFGHX][0-9A-HJ-NP-Z]{6}")
_PCS_OF_THE_SPINE = ("00", "01", "0P", "0Q", "0R", "0S", "0W")
_PCS_OF_DIALYSIS = ("3E1", "5A1")

# What is told of a code that was not understood: never words. https://hl7.org/fhir/R4/datatypes.html#code
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-+/_]{0,39}")
_URI = re.compile(r"(https?://|urn:oid:|urn:)[A-Za-z0-9.\-_/:#~]{1,120}")
MOST_CODES = 40
Concept = CodeableConcept | MedicineConcept | None
_IDEAS_OF_A_CODE = 2
NO_SYSTEM, NOT_A_CODE = "no known form", "not a code"


def why_not_understood(system: str | None, code: str | None, words: Vocabulary) -> Why | None:
    """Why one coding says nothing that is known here; None where it is classified, with or without an idea."""
    if not system or not code:
        return "words-only"
    longest = len(system) + len(code) > _REMEMBERED
    return _why(system, code, words) if longest else _remembered(system, code, words)


def _why(system: str, code: str, words: Vocabulary) -> Why | None:
    mapped = words.maps.translate(system, code)  # a map that keeps codes as they are may keep one that no list has
    if words.ideas(system, code) or any(is_listed(*target, words.value_sets) for target in mapped):
        return None
    uri = words.maps.canonical(system)
    code = normalised(uri, code)
    if compared(uri) == _ABSENT_OR_UNKNOWN:
        return None if code.startswith(_NONE_KNOWN) else "unread"
    if compared(uri) in _REASONS_FOR_ABSENCE:
        return "masked"
    if _is_none_known(uri, code):
        return None
    if _is_classified(uri, code, words):
        return None
    return "code-not-listed" if uri in KNOWN - {CONCEPT} else "system-not-read"


def says_absence(system: str | None) -> bool:
    """Whether the codes of a system say that, or why, there is no code: none of them is a site's own to be mapped."""
    return bool(system) and compared(str(system)) in _REASONS_FOR_ABSENCE | {_ABSENT_OR_UNKNOWN}


def says_none_known(concept: Concept) -> bool:
    """Whether an entry says nothing but that there is none: IPS has a code for that in each list.

    Beside a code of anything else that is not said: one names something, the other that there is nothing.
    """
    said = False
    for one in concept.coding if concept is not None else ():
        if one.code:
            if not _is_none_known(one.system, one.code):
                return False
            said = True
    return said


def _is_none_known(system: str | None, code: str | None) -> bool:
    code = (code or "").strip()
    if code in _NONE_IN_SNOMED:
        return canonical(system) == SNOMED_CT
    return code.startswith(_NONE_KNOWN) and compared(system or "") == _ABSENT_OR_UNKNOWN


def _is_classified(uri: str, code: str, words: Vocabulary) -> bool:
    """Whether a code of no idea is known to be of none: by a checked row of its edition, or because it was reviewed."""
    if uri in ICD_DIAGNOSES:
        return is_classified(uri, code)
    if uri == ICD_10_PCS:
        return bool(_PCS.fullmatch(code)) and not code.startswith((*_PCS_OF_THE_SPINE, *_PCS_OF_DIALYSIS))
    return is_reviewed(uri, code, words.value_sets)


_REMEMBERED = 200  # characters of a system and a code together
_remembered = lru_cache(maxsize=16_384)(_why)


def of_concept(concept: CodeableConcept | MedicineConcept | None, words: Vocabulary) -> Why | None:
    """Why a whole concept is not understood: one coding that is classified is enough (inputs 1.3).

    That there is none is classified only where no other code stands beside it (says_none_known).
    """
    if concept is None or not concept.coding:
        known = concept is not None and concept.text and words.ideas_of_text(concept.text)
        return None if known else "words-only"
    reasons: list[Why] = []
    for coding in concept.coding:
        why = why_not_understood(coding.system, coding.code, words)
        if why is None and not _is_none_known(coding.system, coding.code):
            return None
        if why is not None:
            reasons.append(why)
    return None if says_none_known(concept) else max(reasons, key=_TELLING.index)


# Of several reasons the one that says most about what to do.
_TELLING: tuple[Why, ...] = ("words-only", "system-not-read", "unread", "masked", "code-not-listed")


class Unclear(Struct, frozen=True):
    """What of one list was not understood: entries by reason, and by (system, code); never their words.

    `read`: how many entries were looked at in all. `current`: those that could tell of something current.
    `meanings`: how many things the entries could name, each code of each entry counted. `codes`: the most frequent
    first. `systems`: by reason and code system, an entry once for each of its systems.
    """

    read: int = 0
    reasons: Mapping[Why, int] = {}
    codes: Mapping[tuple[str, str], int] = {}
    systems: Mapping[tuple[Why, str], int] = {}
    current: int = 0
    meanings: int = 0

    @property
    def entries(self) -> int:
        """How many entries were not understood."""
        return sum(self.reasons.values())

    @property
    def most_frequent(self) -> tuple[tuple[str, str, int], ...]:
        """The codes that are told of one patient, with how often they occur."""
        return tuple((*pair, count) for pair, count in islice(self.codes.items(), MOST_CODES))


class Counted:
    """Counts one list while it is read."""

    __slots__ = ("_met", "codes", "current", "meanings", "read", "reasons", "systems")

    def __init__(self) -> None:
        self.reasons: dict[Why, int] = {}
        self.codes: dict[tuple[str, str], int] = {}
        self.systems: dict[tuple[Why, str], int] = {}
        self.current = self.meanings = self.read = 0
        self._met: set[object] = set()

    def add(self, why: Why, concept: Concept = None, *, entry: str | None, over: bool = False) -> None:
        """One entry that was not understood; `over`: it could only tell of something past.

        `entry`: its id. What comes twice is told twice and means no more than once.
        """
        codings = concept.coding if concept is not None else ()
        self.reasons[why] = self.reasons.get(why, 0) + 1
        self.current += not over
        said = entry, concept and concept.text, frozenset((canonical(one.system), one.code) for one in codings)
        if entry is None or said not in self._met:
            self.meanings += max(1, len(codings))
            self._met.add(said)
        pairs = {tellable_coding(coding.system, coding.code) for coding in codings[:4]}
        for pair in pairs:
            self.codes[pair] = self.codes.get(pair, 0) + 1
        for system in {system for system, _ in pairs}:
            self.systems[why, system] = self.systems.get((why, system), 0) + 1

    def unclear(self, others: Mapping[Why, int], again: int = 0) -> Unclear:
        """The counts, with those of entries that never became a resource (decode_resources.py, prefetch).

        `again`: how many of those are the very text of another.
        """
        more = sum(others.values())
        if not more and not self.reasons:
            return Unclear(self.read)
        reasons = Counter(self.reasons) + Counter(others)
        codes = dict(sorted(self.codes.items(), key=lambda one: (-one[1], one[0])))
        return Unclear(
            self.read + more,
            dict(reasons),
            codes,
            dict(self.systems),
            self.current + more,
            self.meanings + more - again,
        )


def tellable_coding(system: str | None, code: str | None) -> tuple[str, str]:
    """What may be told of a coding: its system and code where they have the form of such, never words."""
    uri = canonical(system).partition("|")[0]  # a version makes no other system of it
    return (
        uri if len(uri) <= 130 and _URI.fullmatch(uri) else NO_SYSTEM,
        code if code and len(code) <= 40 and _CODE.fullmatch(code) else NOT_A_CODE,
    )


class NotUnderstood(Struct, frozen=True):
    """What of all lists was not understood, by prefetch key.

    `counted_as_absent`: the site decided that such entries count as if they were not there (DEC-37); they are told.
    """

    lists: Mapping[str, Unclear] = {}
    counted_as_absent: bool = False

    @property
    def entries(self) -> int:
        """How many entries were not understood."""
        return sum(one.entries for one in self.lists.values())

    @property
    def meanings(self) -> int:
        """How many things these entries could name at most: two for each of their codes.

        Decision: a code names two ideas at most that one score counts (I13.0, E11.22; the value sets hold no code of
        three, tests/fhir_mappings/terminology/test_understanding.py); words without a code count as one code.
        """
        return _IDEAS_OF_A_CODE * sum(one.meanings for one in self.lists.values())


ALL_UNDERSTOOD = NotUnderstood()
