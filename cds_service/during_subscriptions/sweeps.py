"""What changed at a source since an instant, by search: for open cases, or by what the tenant's file asks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from cds_service.during_subscriptions import source_server
from cds_service.during_subscriptions.asked_source import AskedSource
from cds_service.records.during_cases import Arrival, CaseKey
from cds_service.tenants import during_source_rules
from cds_service.tenants.tenant_parts import DuringPoll, DuringSource
from fhir_mappings.during.case_times import instant
from fhir_mappings.during.filing import VersionStamp
from fhir_mappings.during.position import Position
from fhir_mappings.fhir.resources import UNREADABLE_JSON

SEARCH = "search"
# Where a server's clock cannot be read off what it sent, it may be so far from ours.
CLOCKS_APART = timedelta(minutes=10)
# What a server commits late bears an earlier time than what it showed before.
_LATE_COMMITS = timedelta(minutes=1)
_MOST_CASES = 500
_BUDGET_S = 60.0
_BY_CASE = ("Observation?patient={patient}", "Procedure?encounter=Encounter/{encounter}", "Encounter?_id={encounter}")


class Swept(msgspec.Struct, frozen=True):
    """`whole`: every search was answered to its end. `answered`: each was answered at all. `lost`: how much of it
    could neither be kept nor placed. `seen_until`: the newest change that was seen, by the server's own clock.
    """

    whole: bool = True
    answered: bool = True
    lost: int = 0
    seen_until: datetime | None = None


class _Stamped(msgspec.Struct):
    meta: VersionStamp = VersionStamp()


_stamped = msgspec.json.Decoder(_Stamped)


def look_again(asked: AskedSource) -> None:
    """Search for what changed since what was seen last, by the server's own clock. Raises DatabaseError."""
    at, position = asked.clock(), asked.position()
    swept = sweep(asked, position.well_at - _LATE_COMMITS, at)
    if not swept.whole:
        asked.change(lambda one: one.failed(at))
        return
    every = during_source_rules.every_s(asked.site.tenant.during)
    following = at + timedelta(seconds=every) if every is not None else None

    def seen(one: Position) -> Position:
        called = one.ask_at if one.ask_at is not None and one.ask_at > at else following
        return (one.lost(at) if swept.lost else one).swept(at, swept.seen_until, called)

    asked.change(seen)


def sweep(asked: AskedSource, since: datetime, at: datetime) -> Swept:
    """Search, and keep what is found. Raises DatabaseError, NotReady where it cannot be kept."""
    until = time.monotonic() + _BUDGET_S
    stamp = quote(f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z", safe="")
    cases = _open_cases(asked, at)
    found = Swept(whole=len(cases) < _MOST_CASES)
    for query in _queries(asked.source, cases):
        if time.monotonic() >= until:
            return msgspec.structs.replace(found, whole=False)
        result = source_server.search(asked.taker.client, asked.by, query, stamp, deadline=until)
        resources = [bytes(raw) for raw in result.resources]
        _, lost = asked.taker.keep(resources, asked.site, Arrival(SEARCH, asked.source.base_url[:512], at))
        found = Swept(
            found.whole and result.whole,
            found.answered and result.succeeded,
            found.lost + lost,
            _newest([found.seen_until, *(_changed(raw, asked.site.zone) for raw in resources)]),
        )
    return found


def _open_cases(asked: AskedSource, at: datetime) -> list[CaseKey]:
    """The cases of which something came lately, the last one first."""
    poll = asked.site.tenant.during.poll or DuringPoll()
    oldest = at - timedelta(hours=poll.open_hours)
    kept = asked.taker.intake.cases.of_tenant(asked.site.tenant.id, most=_MOST_CASES)
    return [one.key for one in kept if one.last_at >= oldest]


def _queries(source: DuringSource, cases: Sequence[CaseKey]) -> Iterator[str]:
    """Each search once; those of cases once for each case that has what they ask by."""
    asked = dict.fromkeys(
        query
        for template in source.searches or _BY_CASE
        for query in (_of_cases(template, cases) if "{" in template else (template,))
    )
    yield from asked


def _of_cases(template: str, cases: Sequence[CaseKey]) -> Iterator[str]:
    for key in cases:
        if "{encounter}" in template and not key.encounter_id:
            continue
        patient, encounter = quote(key.patient_id, safe=""), quote(key.encounter_id, safe="")
        yield template.replace("{patient}", patient).replace("{encounter}", encounter)


def _changed(raw: bytes, zone: ZoneInfo) -> datetime | None:
    try:
        return instant(_stamped.decode(raw).meta.last_updated, zone)
    except UNREADABLE_JSON:
        return None


def _newest(instants: Sequence[datetime | None]) -> datetime | None:
    return max((one for one in instants if one is not None), default=None)
