"""Whether an operation runs at an instant, as its Procedures say it, or, where there is none, its Encounter.

Apart from case_times.py, which says when something may be shown: here a Procedure that is over ends the operation while
the stay goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fhir_mappings.during.case_times import NOT_BEGUN, OVER, WITHDRAWN, TimedResource, instant, timed
from fhir_mappings.during.filing import newest_times
from fhir_mappings.fhir.dates import moment

# An end that nobody recorded has not come; but an operation of which nobody records the end does not run for ever.
MOST = timedelta(hours=24)
# A monitor that sent nothing for so long is not of an operation that runs.
SILENT = timedelta(minutes=30)


def is_under_way(
    times: Sequence[str],
    zone: ZoneInfo,
    at: datetime,
    came: datetime,
    *,
    has_values: bool,
    monitored_at: datetime | None = None,
) -> bool:
    """Whether an operation has begun within the last 24 hours and no end of it is recorded.

    `times`: each version of the Procedures and Encounters of one case. `came`: when something of the case first came.
    Of an Encounter alone only where there are values (`has_values`): a stay is no operation. On a later day of the stay
    it is one while values come as fast as a monitor sends them (`monitored_at`: when they last did). One that began at
    a time that nobody recorded counts as begun where its status says so; what cannot be read as under way, for as long
    as something of its case comes.
    """
    try:
        every = [timed(raw) for raw in newest_times(times, zone)]
    except ValueError:
        return True
    begun = [one for one in every if one.status not in WITHDRAWN | NOT_BEGUN]
    procedures = [one for one in begun if one.resource_type == "Procedure"]
    chosen = procedures or (begun if has_values else [])
    is_monitored = not procedures and monitored_at is not None and at - SILENT <= monitored_at
    return any(_runs(one, zone, at, came, however_long=is_monitored) for one in chosen)


def _runs(one: TimedResource, zone: ZoneInfo, at: datetime, came: datetime, *, however_long: bool) -> bool:
    earliest, latest = _began(one, zone, came)
    if earliest > at or (latest < at - MOST and not however_long):
        return False
    end = instant(one.written()[1], zone)
    return one.status not in OVER or (end is not None and end > at)


def _began(one: TimedResource, zone: ZoneInfo, came: datetime) -> tuple[datetime, datetime]:
    """Within which time it began: at an instant, on a day, else at the latest when it was written or first came."""
    written = moment(one.written()[0], zone)
    if written is not None and written.precision == "time":
        return written.time, written.time
    if written is not None and written.precision == "day":
        return written.time - MOST, written.time  # its time is the end of the day
    stamp = instant(one.meta.last_updated, zone) if one.meta is not None else None
    latest = stamp or came
    return latest - MOST, latest
