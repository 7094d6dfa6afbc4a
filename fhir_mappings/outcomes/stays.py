"""Stays and visits: when somebody was seen, how a stay ended, and whether it ended in death."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.clock import Clock, is_ahead
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.fhir.resources import Encounter
from fhir_mappings.terminology.code_systems import compared

# https://terminology.hl7.org/CodeSystem-v3-ActCode.html, and the URI that STU3 had for the same codes.
_ACT_CODE = frozenset(
    map(compared, ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "http://hl7.org/fhir/v3/ActCode"))
)
# Classes in which somebody is seen in person. Not VR, which may be a call about a person, and not PRENC.
_IN_PERSON = frozenset({"AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "SS"})
_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})
_NOT_IN_PERSON = frozenset({"VR", "PRENC"})
# https://hl7.org/fhir/R4/valueset-encounter-status.html
_TOOK_PLACE = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"})
_DID_NOT = frozenset({"planned", "cancelled", "entered-in-error"})
# https://terminology.hl7.org/CodeSystem-discharge-disposition.html
_HL7_DISPOSITION = compared("http://terminology.hl7.org/CodeSystem/discharge-disposition")
_HL7_ENDS: Mapping[str, Ending] = {
    "home": "home", "alt-home": "home", "aadvice": "home", "exp": "died",
    "other-hcf": "elsewhere", "hosp": "elsewhere", "long": "elsewhere", "psy": "elsewhere", "rehab": "elsewhere",
    "snf": "elsewhere",
}  # fmt: skip
# UB-04 patient discharge status, the value set of US Core (http://hl7.org/fhir/us/core, Encounter): numbers only.
# https://www.cms.gov/medicare/payment: 01 home, 06 home health, 07 against advice, 81 and 86 as 01 and 06 with a
# planned return; 20, 40 to 42 died; 30 still there.
_NUBC = frozenset(
    map(compared, ("https://www.nubc.org/CodeSystem/PatDischargeStatus", "http://www.nubc.org/patient-discharge"))
)
_NUBC_HOME = frozenset({"01", "06", "07", "81", "86", "1", "6", "7"})
_NUBC_DIED = frozenset({"20", "40", "41", "42"})
# Other hospitals, nursing, hospice, rehabilitation, and the same with a planned return.
_NUBC_ELSEWHERE = frozenset(
    {"02", "03", "04", "05", "43", "50", "51", "61", "62", "63", "64", "65", "66", "69", "70", "82", "83", "84", "85"}
    | {"88", "89", "90", "91", "92", "93", "94", "95", "2", "3", "4", "5"}
)
# https://terminology.hl7.org/CodeSystem-diagnosis-role.html
_ROLES = compared("http://terminology.hl7.org/CodeSystem/diagnosis-role")

Ending = Literal["home", "elsewhere", "died", "not-told", "not-understood"]


class Dying(Struct, frozen=True):
    """A source that tells of the person's death, and between which days; None where it has no day."""

    source: str
    first: date | None = None
    last: date | None = None


class Stay(Struct, frozen=True, kw_only=True):
    """One Encounter that took place, or may have. `end`: None while it lasts, as of the day that is asked about.

    `kind`: the code of its class, "" where that is not understood. `roles`: by Condition id, what the stay calls it.
    """

    id: str
    source: str
    kind: str
    certain: bool
    start: Moment | None
    end: Moment | None
    ending: Ending
    roles: Mapping[str, frozenset[str]] = {}

    @property
    def in_person(self) -> bool:
        """Whether it is certain that somebody saw the person."""
        return self.certain and self.kind in _IN_PERSON

    @property
    def inpatient(self) -> bool | None:
        """Whether it is an admission; None where that is not understood."""
        if self.kind in _INPATIENT:
            return True if self.certain else None
        return False if self.kind in _IN_PERSON | _NOT_IN_PERSON else None

    @property
    def seen_on(self) -> tuple[date, ...]:
        """The days on which the person was certainly seen alive."""
        if not self.in_person:
            return ()
        days = [self.start, self.end if self.ending != "died" else None]
        return tuple(one.first for one in days if one is not None and one.whole_date)

    def holds(self, day: date) -> bool:
        """Whether the day lies in it."""
        if self.start is None or self.start.last > day:
            return False
        return self.end is None or self.end.first >= day


def stay(
    one: Encounter,
    start: Moment | None,
    end: Moment | None,
    *,
    now: Clock,
    disposition: CodeableConcept | None,
    roles: Mapping[str, CodeableConcept | None],
) -> Stay:
    """The Encounter as of now: what ends later lasts, and nobody knows yet how it ends."""
    lasts = end is None or is_ahead(end, now)
    return Stay(
        id=one.id or "",
        source=f"Encounter/{one.id or ''}",
        kind=_class(one),
        certain=one.status in _TOOK_PLACE and start is not None,
        start=start,
        end=None if lasts else end,
        ending=_ending(disposition) if not (end is not None and lasts) else "not-told",
        roles={condition: _roles(use) for condition, use in roles.items()},
    )


def took_place(one: Encounter) -> bool:
    """Whether it may have taken place at all."""
    return one.status not in _DID_NOT


def death_by_stay(one: Stay) -> tuple[Dying, ...]:
    """The death with which a stay ended."""
    if not one.certain or one.ending != "died":
        return ()
    return (Dying(one.source, one.end.first, one.end.last) if one.end is not None else Dying(one.source),)


def last_seen(stays: Iterable[Stay], since: date) -> date | None:
    """The last day, not before `since`, on which the person was certainly seen alive."""
    return max((day for one in stays for day in one.seen_on if day >= since), default=None)


def _class(one: Encounter) -> str:
    if one.kind is None or not one.kind.code or compared(one.kind.system or "") not in _ACT_CODE:
        return ""
    return one.kind.code


def _ending(disposition: CodeableConcept | None) -> Ending:
    if disposition is None or not (disposition.coding or disposition.text):
        return "not-told"
    found = {_of_code(one.system, one.code) for one in disposition.coding}
    known = found - {"not-understood"}
    return known.pop() if len(known) == 1 else "not-understood"


def _of_code(system: str | None, code: str | None) -> Ending:
    uri = compared(system or "")
    if uri == _HL7_DISPOSITION:
        return _HL7_ENDS.get(code or "", "not-understood")
    if uri in _NUBC:
        if code in _NUBC_HOME:
            return "home"
        if code in _NUBC_DIED:
            return "died"
        return "elsewhere" if code in _NUBC_ELSEWHERE else "not-understood"
    return "not-understood"


def _roles(use: CodeableConcept | None) -> frozenset[str]:
    codings = use.coding if use is not None else ()
    return frozenset(one.code for one in codings if one.code and compared(one.system or "") == _ROLES)
