"""FHIR R4 data types, with just the members that are used."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Raw, Struct, field

ABSENT = Raw(b"")


class Coding(Struct, frozen=True, gc=False):
    """One code of one system."""

    system: str | None = None
    code: str | None = None


class CodeableConcept(Struct, frozen=True, gc=False):
    """One idea, coded any number of times."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


NO_CODE = CodeableConcept()
# A longer concept is read each time that it comes: what is remembered stays small whatever is sent.
_REMEMBERED_BYTES = 1024
_CONCEPTS = msgspec.json.Decoder(CodeableConcept)


def concept(written: bytes) -> CodeableConcept:
    """The concept written in this JSON, NO_CODE for none; raises msgspec.MsgspecError.

    A hospital writes the same few hundred concepts in every result: each is read once and remembered.
    """
    return _concept(written) if len(written) <= _REMEMBERED_BYTES else _CONCEPTS.decode(written)


@lru_cache(maxsize=4096)
def _concept(written: bytes) -> CodeableConcept:
    return _CONCEPTS.decode(written) if written else NO_CODE


class DiagnosisCoding(Coding, frozen=True, gc=False):
    """One code of a diagnosis, with the extensions in which German records say how certain it is."""

    extension: Raw = ABSENT


class DiagnosisConcept(CodeableConcept, frozen=True, gc=False):
    """A diagnosis, coded any number of times."""

    coding: tuple[DiagnosisCoding, ...] = ()


NO_DIAGNOSIS = DiagnosisConcept()


class DisplayedCoding(Struct, frozen=True, gc=False):
    """One code with its display, which only medicines need: it may name an ingredient (inputs 6)."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class MedicineConcept(Struct, frozen=True, gc=False):
    """A medicine, coded any number of times."""

    coding: tuple[DisplayedCoding, ...] = ()
    text: str | None = None


class Reference(Struct, frozen=True, gc=False):
    """A pointer to another resource."""

    reference: str | None = None


class Period(Struct, frozen=True, gc=False):
    """From start to end, either of which may be open."""

    start: str | None = None
    end: str | None = None


class Quantity(Struct, frozen=True, gc=False):
    """A number with its unit, as recorded."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


UNREADABLE_QUANTITY = Quantity()
_QUANTITIES: msgspec.json.Decoder[Quantity | None] = msgspec.json.Decoder(Quantity | None)


def quantity(written: Raw) -> Quantity | None:
    """The quantity written in this JSON, None for none; the very UNREADABLE_QUANTITY for what is no quantity."""
    if not written:
        return None
    try:
        return _QUANTITIES.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return UNREADABLE_QUANTITY


class _Printed(Struct, gc=False):
    value: Raw = ABSENT


_PRINTED = msgspec.json.Decoder(_Printed)


def printed_number(written: Raw) -> str:
    """The number of a readable quantity as it is printed, so that 80.0 is not 80; "" for none."""
    return bytes(_PRINTED.decode(written).value).decode() if written else ""


class Interval(Struct, frozen=True, gc=False):
    """A FHIR Range."""

    low: Quantity | None = None
    high: Quantity | None = None


class Repeat(Struct, frozen=True, gc=False, rename="camel"):
    """The bounds of a repeated event."""

    bounds_period: Period | None = None
    bounds_duration: Raw = ABSENT
    bounds_range: Raw = ABSENT


class Timing(Struct, frozen=True, gc=False):
    """Events, or a repetition within bounds."""

    event: tuple[str, ...] = ()
    repeat: Repeat | None = None


class Extension(Struct, frozen=True, gc=False, rename="camel"):
    """One extension with the value types that are used."""

    url: str = ""
    value_code: str | None = None


class DateExtensions(Struct, frozen=True, gc=False):
    """The `_birthDate` sibling: why there is no date."""

    extension: tuple[Extension, ...] = ()


class Dosage(Struct, frozen=True, gc=False):
    """By which route, and until when."""

    modifier_extension: tuple[()] | None = field(default=None, name="modifierExtension")
    route: CodeableConcept | None = None
    timing: Timing | None = None


class DispenseRequest(Struct, frozen=True, gc=False, rename="camel"):
    """For how long a prescription may be filled, and how often again."""

    modifier_extension: tuple[()] | None = None
    validity_period: Period | None = None
    number_of_repeats_allowed: object = 0


class Ingredient(Struct, frozen=True, gc=False, rename="camel"):
    """One substance of a medicine."""

    modifier_extension: tuple[()] | None = None
    item_codeable_concept: MedicineConcept | None = None
    is_active: object = None
