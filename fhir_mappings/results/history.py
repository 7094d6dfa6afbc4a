"""Earlier results of one measurement, in its canonical unit, by the same rule that reads the one that counts."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter

from msgspec import Struct

from fhir_mappings.fhir.clock import Clock, is_future
from fhir_mappings.fhir.dates import moment
from fhir_mappings.results import quantities
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.results.observations import Recorded, RecordedByInput

MOST = 12
_UNCONFIRMED = frozenset({"preliminary", "unknown"})


class EarlierResult(Struct, frozen=True):
    """One result: its number in the canonical unit, when it was taken, and which Observation says so."""

    value: float
    comparator: str
    time: datetime
    source: str


def of(name: str, recorded: RecordedByInput, now: Clock) -> tuple[EarlierResult, ...]:
    """The last results of a measurement that can be read and are confirmed, at most MOST, the oldest first.

    However old: a trend has no window. None that claims to be of the future.
    """
    found: list[EarlierResult] = []
    newest_first = sorted(recorded.get(name.replace("_", "-"), ()), key=attrgetter("written"), reverse=True)
    for one in newest_first:
        if len(found) == MOST:
            break
        if (result := _result(name, one, now)) is not None:
            found.append(result)
    return tuple(sorted(found, key=lambda result: (result.time, result.source)))


def _result(name: str, recorded: Recorded, now: Clock) -> EarlierResult | None:
    when = moment(recorded.written, now.zone)
    unclear = recorded.unread or recorded.two_concepts or recorded.on_oxygen
    if when is None or unclear or recorded.observation.status in _UNCONFIRMED or is_future(when, now):
        return None
    reading = quantities.read_value(RULES[name], recorded.valued)
    if not reading.usable or not isinstance(reading.value, float):
        return None
    return EarlierResult(reading.value, reading.comparator or "", when.time, recorded.source)
