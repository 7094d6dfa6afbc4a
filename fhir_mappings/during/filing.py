"""Resources of any operations, filed by whose case they belong to: one patient in one encounter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from fhir_mappings.during.case_times import instant
from fhir_mappings.fhir.decode_resources import referenced_patient
from fhir_mappings.fhir.elements import Reference
from fhir_mappings.fhir.resources import UNREADABLE_JSON

# https://hl7.org/fhir/R4/datatypes.html#id allows 64; some servers write longer ones.
MOST_ID_CHARACTERS = 256
TIMED = ("Procedure", "Encounter")
NOT_READ, NO_PATIENT, OTHER_TYPE = "unreadable", "names-no-patient", "other-type"
_KEPT = (
    "resourceType", "id", "status", "implicitRules", "modifierExtension", "performedPeriod", "performedDateTime",
    "birthDate",
)  # fmt: skip


class Filed(Struct, frozen=True):
    """What belongs to one case: Observations as they came, Procedures and Encounters cut to their times.

    `births`: what a Patient is cut to, the date of birth.
    """

    patient_id: str
    encounter_id: str
    observations: tuple[bytes, ...] = ()
    times: tuple[str, ...] = ()
    births: tuple[str, ...] = ()


class Filing(Struct, frozen=True):
    """Every case that was spoken of, and how many resources belong to none, by reason."""

    cases: tuple[Filed, ...]
    unfiled: dict[str, int] = {}


class _Placed(Struct, rename="camel"):
    """Where a resource says that it belongs."""

    resource_type: str = ""
    id: str = ""
    subject: Reference | None = None
    encounter: Reference | None = None


_PLACED = msgspec.json.Decoder(_Placed)
_Cases = dict[tuple[str, str], tuple[list[bytes], list[str], list[str]]]
PERSON = "Patient"


def filed(resources: Iterable[bytes], *, of_one: bool = True) -> Filing:
    """Every resource with its case. `of_one`: what names no patient belongs to the only one that the others name."""
    cases: _Cases = {}
    unfiled: dict[str, int] = {}
    nameless: list[tuple[_Placed, bytes]] = []
    for raw in resources:
        placed = _placed(raw)
        if placed is None or placed.resource_type not in ("Observation", PERSON, *TIMED):
            reason = NOT_READ if placed is None else OTHER_TYPE
            unfiled[reason] = unfiled.get(reason, 0) + 1
        elif (patient := _patient(placed)) is None or len(patient) > MOST_ID_CHARACTERS:
            nameless.append((placed, raw))
        else:
            _file(cases, patient, placed, raw)
    patients = {patient for patient, _ in cases}
    for placed, raw in nameless:
        if of_one and len(patients) == 1 and placed.resource_type == "Observation":
            _file(cases, next(iter(patients)), placed, raw)
        else:
            unfiled[NO_PATIENT] = unfiled.get(NO_PATIENT, 0) + 1
    every = (Filed(*key, tuple(seen), tuple(times), tuple(births)) for key, (seen, times, births) in cases.items())
    return Filing(tuple(every), unfiled)


def _patient(placed: _Placed) -> str | None:
    return placed.id or None if placed.resource_type == PERSON else referenced_patient(placed.subject)


def _placed(raw: bytes) -> _Placed | None:
    try:
        return _PLACED.decode(raw)
    except UNREADABLE_JSON:
        return None


def _file(cases: _Cases, patient: str, placed: _Placed, raw: bytes) -> None:
    encounter = placed.id if placed.resource_type == "Encounter" else _encounter(placed.encounter)
    observations, times, births = cases.setdefault((patient, encounter[:MOST_ID_CHARACTERS]), ([], [], []))
    if placed.resource_type == "Observation":
        observations.append(raw)
    else:
        (births if placed.resource_type == PERSON else times).append(_cut(raw))


def _encounter(named: Reference | None) -> str:
    """The id in `Encounter/x`, absolute or versioned; "" for any other reference."""
    parts = ((named.reference if named else None) or "").split("/_history/")[0].split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == "Encounter" else ""


def _cut(raw: bytes) -> str:
    """Only what says when it was, in which state, and which version it is."""
    content: dict[str, Any] = msgspec.json.decode(raw)
    kept = {name: content[name] for name in _KEPT if name in content}
    for name in ("performedPeriod", "period"):
        if isinstance(found := content.get(name), dict):
            kept[name] = {end: found[end] for end in ("start", "end") if end in found}
    if isinstance(meta := content.get("meta"), dict):
        kept["meta"] = {name: meta[name] for name in ("versionId", "lastUpdated") if name in meta}
    return msgspec.json.encode(kept, order="sorted").decode()


class VersionStamp(Struct, frozen=True, rename="camel"):
    """Which version of a resource it is, as its `meta` says."""

    version_id: str = ""
    last_updated: str = ""


class _Born(Struct, frozen=True, rename="camel"):
    birth_date: str | None = None


def birth_date(bodies: Sequence[str], zone: ZoneInfo) -> str | None:
    """The date of birth as the newest version says it; None where none does, or versions of two people are there."""
    found = newest_times(bodies, zone)
    try:
        return msgspec.json.decode(found[0], type=_Born).birth_date if len(found) == 1 else None
    except UNREADABLE_JSON:
        return None


class _TimedVersion(Struct, frozen=True, rename="camel"):
    resource_type: str
    id: str = ""
    status: str = ""
    meta: VersionStamp = VersionStamp()


# In which order a status follows another where no version says which was first: what is over was under way before.
_RANK = {"completed": 2, "stopped": 2, "finished": 2, "not-done": 3, "cancelled": 3, "entered-in-error": 3}
_BEGUN = {"in-progress": 1, "on-hold": 1, "onleave": 1}


def newest_times(bodies: Sequence[str], zone: ZoneInfo) -> tuple[bytes, ...]:
    """Of each Procedure, Encounter or Patient the version that counts, whatever the order in which they came."""
    kept: dict[tuple[str, str], tuple[tuple[float, int, int, str], bytes]] = {}
    for body in bodies:
        raw = body.encode()
        try:
            one = msgspec.json.decode(raw, type=_TimedVersion)
        except UNREADABLE_JSON:
            one = _TimedVersion("", body)  # what cannot be read is another one, and case_times says so
        rank = _order(one, body, zone)
        key = (one.resource_type, one.id or body)
        if key not in kept or kept[key][0] < rank:
            kept[key] = rank, raw
    return tuple(raw for _, (_, raw) in sorted(kept.items()))


def _order(one: _TimedVersion, body: str, zone: ZoneInfo) -> tuple[float, int, int, str]:
    updated = instant(one.meta.last_updated, zone)
    number = one.meta.version_id
    version = int(number) if number.isascii() and number.isdigit() and len(number) <= 18 else -1
    rank = _RANK.get(one.status, _BEGUN.get(one.status, 0))
    return (updated.timestamp() if updated else float("-inf"), version, rank, body)
