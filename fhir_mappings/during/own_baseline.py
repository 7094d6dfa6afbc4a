"""The patient's own mean pressure before the operation, from the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

from msgspec import Struct

from fhir_mappings.during.assembling import newest
from fhir_mappings.during.course import CourseEntry, Signal, Way

# Salmasi 2017 takes the readings of the six months before the operation. A few are needed before they say anything of
# a patient: from a single one 20 % may be the surgery of the day before; two is our rule.
DAYS, FEWEST = 183, 2
NOT_RECORDED, TOO_FEW, NO_START = "not-recorded", "too-few", "start-not-recorded"
_DAY_S = 86_400.0


class OwnBaseline(Struct, frozen=True):
    """The mean of the readings before the operation, mmHg, how many there were and from when to when; or why none."""

    value: float | None
    readings: int = 0
    computed: int = 0
    first: float | None = None
    last: float | None = None
    reason: str = ""


def own_baseline(entries: Iterable[CourseEntry], start: float | None) -> OwnBaseline:
    """The baseline of the mean pressure from the Observations of the record, for a case that starts at `start`.

    A reading without a mean pressure counts with diastolic + (systolic - diastolic) / 3, as that of an upper arm is
    estimated (`computed` tells how many). None of an arterial line counts: whoever has one is not at rest.
    """
    if start is None:
        return OwnBaseline(None, reason=NO_START)
    readings = _readings(entry for entry in newest(entries)[0] if not entry.withdrawn)
    values: dict[float, tuple[float, bool]] = {}
    for at, one in readings.items():
        if start - DAYS * _DAY_S <= at < start and (mean := _mean(one)) is not None:
            values[at] = mean
    if len(values) < FEWEST:
        return OwnBaseline(None, len(values), reason=TOO_FEW if values else NOT_RECORDED)
    return OwnBaseline(
        fmean(value for value, _ in values.values()),
        len(values),
        sum(computed for _, computed in values.values()),
        min(values),
        max(values),
    )


def _readings(entries: Iterable[CourseEntry]) -> dict[float, dict[Signal, float]]:
    found: dict[float, dict[Signal, float]] = defaultdict(dict)
    arterial: Way = "invasive"
    for entry in entries:
        for signal, way, sample in entry.samples:
            if way != arterial:
                found[sample.at][signal] = sample.value
    return found


def _mean(one: dict[Signal, float]) -> tuple[float, bool] | None:
    systolic, diastolic = one.get("systolic-pressure"), one.get("diastolic-pressure")
    if (mean := one.get("mean-pressure")) is not None:
        return mean, False
    if systolic is None or diastolic is None or systolic <= diastolic:
        return None
    return diastolic + (systolic - diastolic) / 3, True
