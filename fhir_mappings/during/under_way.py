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


def is_under_way(times: Sequence[str], zone: ZoneInfo, at: datetime, came: datetime, *, has_values: bool) -> bool:
    """Whether an operation has begun within the last 24 hours and no end of it is recorded.

    `times`: each version of the Procedures and Encounters of one case. `came`: when something of the case first came.
    Of an Encounter alone only where there are values (`has_values`): a stay is no operation. One that began at a time
    that nobody recorded counts as begun where its status says so; what cannot be read as under way, for as long as
    something of its case comes.
    """
    try:
        every = [timed(raw) for raw in newest_times(times, zone)]
    except ValueError:
        return True
    begun = [one for one in every if one.status not in WITHDRAWN | NOT_BEGUN]
    procedures = [one for one in begun if one.resource_type == "Procedure"]
    chosen = procedures or (begun if has_values else [])
    return any(_runs(one, zone, at, came) for one in chosen)


def _runs(one: TimedResource, zone: ZoneInfo, at: datetime, came: datetime) -> bool:
    earliest, latest = _began(one, zone, came)
    if earliest > at or latest < at - MOST:
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
