"""What may be missing of a case because a source was not heard, in words for its page: never told as quiet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from cds_service.during import mode_gate
from cds_service.records.during_cases import KeptCase
from cds_service.records.during_positions import BEFORE_FIRST, DuringPositions
from cds_service.tenants import during_source_rules
from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_parts import During
from fhir_mappings.during.course import CaseTimes
from fhir_mappings.during.position import Position

# So many times later than a source said is late.
_LATE = 2
_MOST_TIMES = 5


# What is charted of a case may be told so long after its end.
_CHARTED_LATE = timedelta(hours=24)


class CaseWindow(Struct, frozen=True):
    """From when to when something of a case may be told, as of `now`."""

    since: datetime
    until: datetime
    now: datetime


def window_of(case: KeptCase, times: CaseTimes, now: datetime) -> CaseWindow:
    """From the recorded start, else the first that came, until its end is charted."""
    since = datetime.fromtimestamp(times.start, UTC) if times.start is not None else case.first_at
    end = datetime.fromtimestamp(times.end, UTC) if times.end is not None and times.ended else now
    return CaseWindow(since, min(end + _CHARTED_LATE, now), now)


def words(tenant: Tenant, positions: DuringPositions, window: CaseWindow, zone: ZoneInfo) -> tuple[str, ...]:
    """What has to be said of this window. Raises DatabaseError where nobody can tell."""
    if tenant.during.source is None or not mode_gate.reads(tenant):
        return ()
    held = positions.of_tenant(tenant.id)
    return (*_still(tenant.during, held, window, zone), *_lost(held, window, zone))


def missing_since(position: Position | None, pause_s: float | None, now: datetime) -> datetime | None:
    """Since when something of a source is missing; None where all is well. `pause_s`: how often it is heard.

    Of a source that was never heard nobody knows what it told.
    """
    if position is None:
        return now - BEFORE_FIRST
    if position.heard_at is None or position.numbers.missing or position.stopped:
        return position.well_at
    is_late = bool(pause_s) and now - position.heard_at > timedelta(seconds=_LATE * (pause_s or 0.0))
    return min(position.heard_at, position.well_at) if is_late else None


def _still(during: During, held: Mapping[str, Position], window: CaseWindow, zone: ZoneInfo) -> tuple[str, ...]:
    found = [
        missing_since(held.get(name), _pause_s(during, name), window.now)
        for name in during_source_rules.told_by(during)
    ]
    since = min((one for one in found if one is not None), default=None)
    if since is None or since > window.until:
        return ()
    return (f"Values may be missing since {_clock(since, zone)}: the hospital's system was not heard to the end.",)


def _pause_s(during: During, name: str) -> float | None:
    if name == during_source_rules.SEARCHED:
        return during_source_rules.every_s(during)
    return during.source.heartbeat_s if during.source is not None else None


def _lost(held: Mapping[str, Position], window: CaseWindow, zone: ZoneInfo) -> tuple[str, ...]:
    """What nobody can have any more, by whichever Subscription it was told."""
    gaps = [gap for position in held.values() for gap in position.gaps]
    near = sorted((one.since, one.until) for one in gaps if one.since <= window.until and window.since <= one.until)
    if not near:
        return ()
    times = [f"from {_clock(since, zone)} to {_clock(until, zone)}" for since, until in near[:_MOST_TIMES]]
    more = f" and {len(near) - _MOST_TIMES} times more" if len(near) > _MOST_TIMES else ""
    return (f"Values of {', '.join(times)}{more} are lost, or were withdrawn without saying of whom.",)


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d %b, %H:%M:%S}"
