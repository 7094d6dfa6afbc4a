"""Results that stand in others, contained in a panel or a report or named by a panel, or are of another person.

None of them is read. They are told as recorded and not readable, never as not recorded, and no number of a donor or
of an unborn child is taken for the patient's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from operator import attrgetter
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct, field

from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.elements import ABSENT, UNREADABLE_QUANTITY
from fhir_mappings.fhir.resource_types import R4_TYPES
from fhir_mappings.fhir.resources import UNREADABLE_JSON, DiagnosticReport, Observation, Resource, Valued
from fhir_mappings.results.focus import Json, Whose, contained, json, parts_of
from fhir_mappings.results.result_time import WrittenTime, written_time
from fhir_mappings.results.unread_results import WITHDRAWN, sketch, sketch_of

_VALUES = attrgetter(
    "value_codeable_concept", "value_string", "value_integer", "value_range", "data_absent_reason"
)  # fmt: skip
_WRITTEN = attrgetter("value_boolean", "value_ratio", "value_sampled_data")
_UTC = ZoneInfo("UTC")
_NOT_BEGUN = "registered"
_DEEPEST = 3  # panels in panels
MeansInput = Callable[[bytes], bool]
Said = tuple[str | None, str | None, str, bytes]  # system, code, when or id, and what was found


class SortedResults(Struct, frozen=True):
    """The results that are left to read, what of the others can still be told, and of each that did not come the times
    of those that name it.
    """

    observations: Sequence[Observation]
    unread: tuple[Raw | Resource, ...] = ()
    not_sent: tuple[Sequence[str], ...] = ()


class _Holder(Struct, frozen=True, gc=False, rename="camel"):
    """A panel or report, of those that no reader took as far as it holds others."""

    resource_type: object = None
    status: object = None
    written_code: Raw = field(default=ABSENT, name="code")
    has_member: Raw = ABSENT
    contained: Raw = ABSENT


Holding = tuple[_Holder, WrittenTime]
_holders = msgspec.json.Decoder(_Holder)


def sorted_out(
    observations: Sequence[Observation],
    reports: Sequence[DiagnosticReport],
    aside: Sequence[Raw | Resource],
    whose: Whose,
    means_input: MeansInput,
) -> SortedResults:
    """Nearly always the very results: of the others what they hold, and of whom they are, is looked at once.

    What was withdrawn hands over nothing, what was set `aside` what it held. `means_input`: whether a code, as it is
    written, is one of an input.
    """
    odd = [
        one
        for one in observations
        if one.focus is not ABSENT or one.has_member is not ABSENT or one.contained is not ABSENT
    ]
    holders = [one for one in map(_holder, (*odd, *reports, *aside)) if one is not None]
    if not odd and not holders:
        return SortedResults(observations)
    others = [one for one in odd if whose.is_of_another(one)]
    gone = set(map(id, others))
    left = [one for one in observations if id(one) not in gone]
    unread: list[Raw | Resource] = [*others, *_not_by_themselves(list(_inside(holders)), left)]
    known = {one.id for one in observations} | {one[0].id for one in map(sketch_of, aside) if one is not None}
    return SortedResults(left, tuple(unread), _not_sent(holders, known, whose, means_input))


def _inside(holders: Iterable[Holding]) -> Iterator[tuple[Raw, bool]]:
    """What they hold, and what that holds in its turn, which FHIR forbids and some systems write.

    And whether its time is that of what holds it.
    """
    for _ in range(_DEEPEST):
        parts = [_timed(part, when) for one, when in holders for part in contained(one.contained)]
        yield from parts
        holders = [one for one, _ in ((_holder(part), of) for part, of in parts) if one is not None]


def _timed(part: Raw, of_holder: WrittenTime) -> tuple[Raw, bool]:
    """A result that says nothing of its own time with that of what holds it; any other as it is."""
    written, issued_only = of_holder
    result = json(part)
    if not written or not isinstance(result, dict) or any(map(_is_of_time, result)):
        return part, False
    return Raw(msgspec.json.encode(result | {"issued" if issued_only else "effectiveDateTime": written})), True


def _is_of_time(member: str) -> bool:
    return member.lstrip("_").startswith(("effective", "issued"))


def _holder(part: Raw | Resource) -> Holding | None:
    """The panel or report where it holds or names others and was not withdrawn."""
    found: _Holder | None = None
    if isinstance(part, Observation):
        found = _Holder("Observation", part.status, part.written_code, part.has_member, part.contained)
    elif isinstance(part, DiagnosticReport):
        found = _Holder("DiagnosticReport", part.status, contained=part.contained)
    elif isinstance(part, Raw):
        found = _read_holder(part)
    if found is None or (found.has_member is ABSENT and found.contained is ABSENT):
        return None
    return None if isinstance(found.status, str) and found.status in WITHDRAWN else (found, _time(part))


def _time(part: Raw | Resource) -> WrittenTime:
    if isinstance(part, Raw):
        sketched = sketch(part, "Observation", "DiagnosticReport")
        return written_time(sketched[0]) if sketched else ("", False)
    return written_time(part) if isinstance(part, Observation | DiagnosticReport) else ("", False)


def _read_holder(part: Raw) -> _Holder | None:
    try:
        found = _holders.decode(part)
    except UNREADABLE_JSON:
        return None
    return found if found.resource_type in ("Observation", "DiagnosticReport") else None


def _not_by_themselves(parts: Sequence[tuple[Raw, bool]], sent: Iterable[Observation]) -> Iterator[Raw]:
    """Those contained resources that did not also come by themselves, as a result of the same code, time and value.

    Of one without a time of its own the day of what holds it has to be the same.
    """
    known = {key for one in sent for key in _said(one, by_day=True)} if parts else frozenset()
    for part, by_day in parts:
        try:
            result = msgspec.json.decode(part, type=Observation)
        except UNREADABLE_JSON:
            yield part
            continue
        if known.isdisjoint(_said(result, by_day)):
            yield part


def _said(result: Observation, by_day: bool) -> Iterator[Said]:
    """What a result says, for each of its codes, its time, its id and its day, each of which may be absent."""
    when = moment(written_time(result)[0], _UTC)
    at = f"{when.time.astimezone(UTC).isoformat()} {when.precision}" if when else ""
    day = when.first.isoformat() if by_day and when and when.whole_date else ""
    found = msgspec.json.encode([_values(result), [(one.code, _values(one)) for one in result.component]])
    for coding in result.code.coding:
        for placed in (at, f"#{result.id}" if result.id else "", day):
            if placed:
                yield coding.system, coding.code, placed, found


def _values(valued: Valued) -> list[object]:
    number = valued.value_quantity
    quantity = json(valued.written_quantity) if number is UNREADABLE_QUANTITY else number
    return [quantity, *_VALUES(valued), *map(json, _WRITTEN(valued))]


def _not_sent(
    panels: Iterable[Holding], known: set[str | None], whose: Whose, means_input: MeansInput
) -> tuple[Sequence[str], ...]:
    """The members of panels that did not come with them: neither in the panel, nor beside it, nor named by a Bundle.

    A result that is asked for by its code brings with it what it names only by chance: the expected date of birth
    beside a pregnancy, the intervals beside an electrocardiogram. What is not begun has no members.
    """
    missing: dict[bytes, list[str]] = {}
    for panel, (when, _) in panels:
        if panel.has_member is ABSENT or panel.status == _NOT_BEGUN or means_input(bytes(panel.written_code)):
            continue
        inside = {f"#{one.get('id')}" for one in map(json, contained(panel.contained)) if isinstance(one, dict)}
        listed = json(panel.has_member)
        for one in listed if isinstance(listed, list) else [listed]:
            if isinstance(one, dict) and _is_elsewhere(one, known, inside, whose.named):
                named = msgspec.json.encode(one.get("reference") or one.get("identifier") or one)
                missing.setdefault(named, []).append(when)
    return tuple(missing.values())


def _is_elsewhere(member: Json, known: set[str | None], inside: set[str], named: Mapping[str, Raw]) -> bool:
    """Whether a member may be a result that did not come; what is named in words cannot be found."""
    reference, kind = member.get("reference"), member.get("type")
    if isinstance(kind, str) and kind in R4_TYPES and kind != "Observation":
        return False
    if not isinstance(reference, str) or not reference:
        return bool(member)
    if reference.startswith(("#", "urn:")):
        return reference not in inside and reference not in named and reference.rpartition(":")[2] not in known
    *_, kind, number = ["", *parts_of(reference)]
    return (kind not in R4_TYPES or kind == "Observation") and number not in known
