"""Results that stand in others, contained in a panel or a report or named by a panel, or are of another person.

None of them is read. They are told as recorded and not readable, never as not recorded, and no number of a donor or
of an unborn child is taken for the patient's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.elements import ABSENT
from fhir_mappings.fhir.resources import UNREADABLE_JSON, DiagnosticReport, Observation, Resource

# https://hl7.org/fhir/R4/observation-definitions.html#Observation.focus: who or what it is about "when it is not the
# patient of record"; of these types it is still something of the patient's own body or care.
_OWN = frozenset({"Condition", "Procedure", "Observation", "BodyStructure", "Encounter", "ServiceRequest", "CarePlan"})
_NOTHING = (b"", b"null", b"[]")
_IN_ERROR = "entered-in-error"
_HELD, _NOTHING_HELD = attrgetter("focus", "has_member", "contained"), (ABSENT, ABSENT, ABSENT)


class SortedResults(Struct, frozen=True):
    """The results that are left to read, what of the others can still be told, and how many came without a trace."""

    observations: Sequence[Observation]
    unread: tuple[Raw | Resource, ...] = ()
    not_sent: int = 0


class _Holder(Struct, frozen=True, gc=False, rename="camel"):
    """A panel or report that no reader took, as far as it holds others."""

    resource_type: object = None
    status: object = None
    has_member: Raw = ABSENT
    contained: Raw = ABSENT


_holders = msgspec.json.Decoder(_Holder)


def sorted_out(
    observations: Sequence[Observation],
    reports: Sequence[DiagnosticReport],
    patient_id: str,
    aside: Iterable[Raw | Resource] = (),
) -> SortedResults:
    """Nearly always the very results: of the others what they hold, and of whom they are, is looked at once.

    A panel or report that was entered in error holds nothing; one that was set `aside` what it held.
    """
    odd = [*compress(observations, map(_NOTHING_HELD.__ne__, map(_HELD, observations)))]
    panels = [one for one in (*odd, *map(_holder, aside)) if one is not None and one.status != _IN_ERROR]
    contained = [written for one in panels if (written := one.contained) is not ABSENT]
    contained += [one.contained for one in reports if one.contained is not ABSENT and one.status != _IN_ERROR]
    if not panels and not contained and not odd:
        return SortedResults(observations)
    others = [one for one in odd if _is_of_another(one, patient_id)]
    gone = set(map(id, others))
    unread: list[Raw | Resource] = [*others, *(part for written in contained for part in _parts(written))]
    left = [one for one in observations if id(one) not in gone]
    return SortedResults(left, tuple(unread), _not_sent(panels, {one.id for one in observations}))


def _holder(part: Raw | Resource) -> Observation | _Holder | None:
    if isinstance(part, DiagnosticReport):
        return _Holder(status=part.status, contained=part.contained)
    if not isinstance(part, Raw):
        return part if isinstance(part, Observation) else None
    try:
        holder = _holders.decode(part)
    except UNREADABLE_JSON:
        return None
    return holder if holder.resource_type in ("Observation", "DiagnosticReport") else None


def _is_of_another(observation: Observation, patient_id: str) -> bool:
    if bytes(observation.focus) in _NOTHING:
        return False
    references = _references(observation.focus)
    return not references or not all(_is_own(one, patient_id) for one in references)


def _is_own(reference: object, patient_id: str) -> bool:
    parts = _parts_of(reference) if isinstance(reference, str) else []
    return len(parts) >= 2 and (parts[-2] in _OWN or parts[-2:] == ["Patient", patient_id])


def _parts_of(reference: str) -> list[str]:
    return reference.partition("/_history/")[0].split("/")


def _parts(contained: Raw) -> Iterable[Raw]:
    """The contained resources, or what stands alone where a list of them should."""
    try:
        return msgspec.json.decode(contained, type=list[Raw])
    except UNREADABLE_JSON:
        return (contained,)


def _not_sent(panels: Iterable[Observation | _Holder], known: set[str | None]) -> int:
    """How many members of panels did not come with them. What a panel holds itself, or a Bundle names, did."""
    named = [one for panel in panels for one in _references(panel.has_member)]
    return len({one for one in named if isinstance(one, str) and _is_elsewhere(one, known)})


def _references(written: Raw) -> list[object]:
    listed = _json(written)
    return [one.get("reference") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _is_elsewhere(reference: str, known: set[str | None]) -> bool:
    if reference.startswith(("#", "urn:")):
        return False
    parts = _parts_of(reference)
    return parts[-2:-1] == ["Observation"] and parts[-1] not in known


def _json(written: Raw) -> Any:
    try:
        return msgspec.json.decode(written)
    except UNREADABLE_JSON:
        return None
