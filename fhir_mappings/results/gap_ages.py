"""How long ago results were that may be of any input: none is the value of an input whose window it does not reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fhir_mappings.fhir.clock import Clock, days_since
from fhir_mappings.fhir.dates import moment


def gap_ages(gaps: Iterable[Collection[str]], now: Clock) -> tuple[float, ...]:
    """By the times that are written for each gap the days since the last of them, the least first.

    A gap of which one time is not known is left out: it may be of any day.
    """
    found: list[float] = []
    for written in gaps:
        times = [moment(one, now.zone) for one in written]
        known = [one for one in times if one is not None]
        if known and len(known) == len(times):
            found.append(min(days_since(one, now) for one in known))
    return tuple(sorted(found))
