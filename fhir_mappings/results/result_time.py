"""When a result was taken: effective[x], else when it was issued; for every result, answer and report alike.

Source: inputs 1.2; https://hl7.org/fhir/R4/observation-definitions.html#Observation.effective_x_
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fhir_mappings.fhir.clock import Clock, placed
from fhir_mappings.fhir.dates import Moment, moment
from fhir_mappings.fhir.elements import Period, Timing
from fhir_mappings.fhir.resources import DiagnosticReport, Observation

NO_TIME, UNREADABLE = "no-time", "date-unreadable"
STALE = "stale"
_UTC = ZoneInfo("UTC")
_NEVER = datetime.min.replace(tzinfo=UTC)


# When a result was taken, as written ("" where nothing says so), and whether only its issue is known.
WrittenTime = tuple[str, bool]


def written_time(result: Observation | DiagnosticReport) -> WrittenTime:
    """Of a period its end, else its start; of a timing its last event, else its bounds; only then the issue."""
    if text := result.effective_date_time:
        return text, False
    text = _of_period(result.effective_period)
    if isinstance(result, Observation):
        text = result.effective_instant or text or _of_timing(result.effective_timing)
    return (text, False) if text else (result.issued or "", bool(result.issued))


def _of_period(period: Period | None) -> str:
    return (period.end or period.start or "") if period else ""


def _of_timing(timing: Timing | None) -> str:
    if timing is None:
        return ""
    last = max(timing.event, key=_comparable, default="")
    return last or _of_period(timing.repeat.bounds_period if timing.repeat else None)


def _comparable(event: str) -> tuple[datetime, str]:
    """Events may be written in different zones; what is no time comes before all that are."""
    when = moment(event, _UTC)
    return (when.time if when else _NEVER), event


def in_window(text: str, days: int, now: Clock) -> tuple[Moment | None, str]:
    """When a written time is and where it lies: "" in the last `days`, STALE, or why that cannot be said (1.2)."""
    when = moment(text, now.zone)
    if when is None:
        return None, UNREADABLE if text else NO_TIME
    return when, placed(when, days, now)
