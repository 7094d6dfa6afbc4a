"""The person: age and sex, and whether they live. A gap is told, never filled (inputs 3)."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.elements import ABSENT
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Patient
from fhir_mappings.results.feature import Feature, Status

# http://hl7.org/fhir/us/core/StructureDefinition-us-core-birthsex.html
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_SEXES = {"F": "female", "M": "male", "female": "female", "male": "male"}
# Where several de-identified data sets put everybody over 89 (messy case 26).
_PLACEHOLDER = "1900-01-01"
_OLDEST = 120


class Person(Struct, frozen=True, gc=False):
    """What the Patient resource says; name and identifiers as written, for a page's banner alone."""

    id: str
    birth_date: str | None
    why_no_birth_date: str
    birth_sex: str | None
    gender: str | None
    deceased: bool
    written_name: Raw = ABSENT
    written_identifiers: Raw = ABSENT


def person(patient: Patient) -> Person:
    """The facts of a Patient resource."""
    birth_sex = next((one.value_code for one in patient.extension if one.url == _BIRTH_SEX), None)
    absent = patient.birth_date_extensions.extension if patient.birth_date_extensions else ()
    masked = any(one.url == _ABSENT and one.value_code == "masked" for one in absent)
    return Person(
        patient.id or "",
        patient.birth_date,
        "masked" if masked else "never-recorded",
        _SEXES.get(birth_sex or ""),
        _SEXES.get(patient.gender or ""),
        _is_dead(patient),
        patient.written_name,
        patient.written_identifiers,
    )


def _is_dead(patient: Patient) -> bool:
    """By a day of death or the word itself; without either also where the day says why it is not known."""
    if patient.deceased_date_time or patient.deceased_boolean is not None:
        return bool(patient.deceased_date_time or patient.deceased_boolean)
    return _tells(patient.deceased_date_extensions)


class _Extended(Struct, gc=False):
    extension: list[Raw] | None = None


_extended = msgspec.json.Decoder(_Extended | None)


def _tells(written: Raw) -> bool:
    """Whether what stands beside a date that is not there says anything: an extension, or something unreadable."""
    if written is ABSENT:
        return False
    try:
        read = _extended.decode(written)
    except UNREADABLE_JSON:
        return True
    return read is not None and bool(read.extension)


# https://hl7.org/fhir/R4/valueset-link-type.html: the record of this person has moved, or is mainly in another one.
_ELSEWHERE = frozenset({"replaced-by", "refer"})


class _PatientLink(Struct, gc=False):
    type: str | None = None


_links = msgspec.json.Decoder(list[_PatientLink] | None)


def is_elsewhere(patient: Patient | None) -> bool:
    """Whether the Patient says that the person's record is another one: then what is not in this is not absent."""
    if patient is None or patient.link is ABSENT:
        return False
    try:
        links = _links.decode(patient.link) or []
    except UNREADABLE_JSON:
        return True
    return any(one.type in _ELSEWHERE for one in links)


def _completed_years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def age(someone: Person | None, failure: str | None, now: Clock) -> Feature:
    """Completed years on the hook's date in the tenant's zone, 0 to 120.

    Month only counts as its 15th, year only as 1 July, flagged `age-approximate` with the `possible` ages: a model
    with a cut-point between them is not computable, and one possible age below 18 is out of scope (inputs 3).
    """
    if someone is None:
        return _no_age("missing", failure or "never-recorded")
    if not someone.birth_date:
        return _no_age("missing", someone.why_no_birth_date)
    if someone.birth_date == _PLACEHOLDER:
        return _no_age("missing", "placeholder")
    born = moment(_day_of(someone.birth_date), now.zone)
    if born is None:
        return _no_age("rejected", "date-unreadable")
    return _age_of_birth(born, someone, now)


def _day_of(written: str) -> str:
    """The date alone of a birth that is told to the minute."""
    return written[:10] if written[10:11] == "T" else written


def _age_of_birth(born: Moment, someone: Person, now: Clock) -> Feature:
    middle = born.first if born.whole_date else born.first.replace(month=7, day=1)
    if born.precision == "month":
        middle = born.first.replace(day=15)
    years = max(0, _completed_years(middle, now.today))
    if born.first > now.today or years > _OLDEST:
        return _no_age("rejected", "implausible")
    youngest = max(0, _completed_years(min(born.last, now.today), now.today))
    oldest = _completed_years(born.first, now.today)
    return Feature(
        name="age",
        status="used",
        value=float(years),
        model_value=float(years),
        unit="years",
        source=f"Patient/{someone.id}",
        flags=() if born.whole_date else ("age-approximate", f"age-between:{youngest}-{oldest}"),
        possible=(float(youngest), float(oldest)) if youngest < oldest else None,
    )


def youngest(feature: Feature) -> float | None:
    """The youngest that the person could be, years; None without an age that can be used."""
    if not feature.usable or not isinstance(feature.value, float):
        return None
    return feature.possible[0] if feature.possible else feature.value


def _no_age(status: Status, reason: str) -> Feature:
    return Feature(name="age", status=status, unit="years", reason=reason)


def sex(someone: Person | None, failure: str | None) -> Feature:
    """female or male: as recorded at birth, else as the administrative gender; never a default."""
    if someone is None:
        return Feature(name="sex", status="missing", reason=failure or "never-recorded")
    value = someone.birth_sex or someone.gender
    if value is None:
        return Feature(name="sex", status="missing", reason="sex-not-recorded")
    differ = someone.birth_sex and someone.gender and someone.birth_sex != someone.gender
    return Feature(
        name="sex",
        status="used",
        value=value,
        model_value=value,
        source=f"Patient/{someone.id}",
        flags=("sex-differs",) if differ else (),
    )
