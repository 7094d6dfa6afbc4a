"""How fast the values of a case come: a monitor in an operation sends more in half an hour than a ward charts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

# No source. In an operation pressure and pulse are charted at least every five minutes, by the ASA Standards for Basic
# Anesthetic Monitoring (https://www.asahq.org/standards-and-practice-parameters): with the three pressures in one
# Observation that is 14 in half an hour. A ward that charts six signs each half hour sends twelve.
WINDOW = timedelta(minutes=30)
MONITORED = 14
# What comes at once counts as so many at most: a whole chart that is sent late is no monitor.
MOST_AT_ONCE = 5


def paced(row: Row[Any], values: int, at: datetime) -> dict[str, Any]:
    """The columns of a case after so many new values came at an instant."""
    if not values:
        return {}
    is_new = row.pace_since is None or not timedelta(0) <= at - row.pace_since <= WINDOW
    counted = min(values, MOST_AT_ONCE)
    since, count = (at, counted) if is_new else (row.pace_since, row.pace_values + counted)
    found: dict[str, Any] = {"pace_since": since, "pace_values": count}
    return found | {"monitored_at": at} if count >= MONITORED else found
