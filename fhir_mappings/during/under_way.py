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

# An end that nobody recorded has not come; but an operation of which nobody records the end does not run for ever.
MOST = timedelta(hours=24)


def is_under_way(times: Sequence[str], zone: ZoneInfo, at: datetime, *, has_values: bool) -> bool:
    """Whether an operation has begun within the last 24 hours and no end of it is recorded.

    `times`: each version of the Procedures and Encounters of one case. Of an Encounter alone only where there are
    values (`has_values`): a stay is no operation. One that began at a time that nobody recorded counts as begun where
    its status says so, and what cannot be read as under way.
    """
    try:
        every = [timed(raw) for raw in newest_times(times, zone)]
    except ValueError:
        return True
    begun = [one for one in every if one.status not in WITHDRAWN | NOT_BEGUN]
    procedures = [one for one in begun if one.resource_type == "Procedure"]
    chosen = procedures or (begun if has_values else [])
    return any(_runs(one, zone, at) for one in chosen)


def _runs(one: TimedResource, zone: ZoneInfo, at: datetime) -> bool:
    start, end = (instant(text, zone) for text in one.written())
    if start is not None and not at - MOST <= start <= at:
        return False
    return one.status not in OVER or (end is not None and end > at)
