"""Whose profile it is, as an EHR's own banner would say: name, day of birth, sex, record number.

SMART App Launch 2.2, `need_patient_banner`: an app that is opened without one has to show it.
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

from __future__ import annotations

from datetime import date

import msgspec

from cds_service.advice import number_text
from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.patient.demographics import Person

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LONGEST = 80  # characters of a name or number
# https://hl7.org/fhir/R4/valueset-name-use.html: the names by which a person is known; others are old or of a child.
_KNOWN_BY = ("official", "usual", "", "temp", "nickname", "anonymous")
_RECORD_NUMBER = "MR"  # http://terminology.hl7.org/CodeSystem/v2-0203
_NO_DAY = "day of birth not known"


class _Name(msgspec.Struct):
    use: str = ""
    text: str = ""
    family: str = ""
    given: tuple[str, ...] = ()


class _Identifier(msgspec.Struct):
    value: str = ""
    type: CodeableConcept = CodeableConcept()


class Banner(msgspec.Struct, frozen=True):
    """What stands in the banner; "" for what is not recorded."""

    name: str
    born: str
    sex: str
    number: str


def of(person: Person | None) -> Banner:
    """The banner of a person; what cannot be read is left out, and never keeps the page from opening."""
    if person is None:
        return Banner("", _NO_DAY, "", "")
    return Banner(_name(person), _born(person), person.gender or person.birth_sex or "", _number(person))


def _name(person: Person) -> str:
    try:
        names = msgspec.json.decode(person.written_name, type=tuple[_Name, ...]) if person.written_name else ()
    except _UNREADABLE:
        return ""
    known = sorted((one for one in names if one.use in _KNOWN_BY), key=lambda one: _KNOWN_BY.index(one.use))
    written = (one.text or " ".join([*one.given, one.family]).strip() for one in known)
    return next((words[:_LONGEST] for words in written if words), "")


def _born(person: Person) -> str:
    """As precisely as it is recorded."""
    written = (person.birth_date or "")[:10]
    try:
        return f"born {number_text.calendar_day(date.fromisoformat(written))}"
    except ValueError:
        return f"born {written}" if written[:4].isdigit() else _NO_DAY


def _number(person: Person) -> str:
    """The medical record number: no other identifier, for it may be one of an insurance or of the state."""
    try:
        raw = person.written_identifiers
        found = msgspec.json.decode(raw, type=tuple[_Identifier, ...]) if raw else ()
    except _UNREADABLE:
        return ""
    numbers = (one.value for one in found if any(coding.code == _RECORD_NUMBER for coding in one.type.coding))
    return next((number[:_LONGEST] for number in numbers if number), "")
