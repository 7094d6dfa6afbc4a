"""The earlier results of a laboratory value as a small line, with the numbers in words for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from cds_service.advice import number_text
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.history import EarlierResult

WIDTH, HEIGHT, EDGE = 120, 28, 5
_LEAST = 2  # results that make a trend


def line(feature: Feature, results: Sequence[EarlierResult], zone: ZoneInfo) -> Markup:
    """Time to the right, the number upwards, a dot for each result, the one in use filled; nothing for a single one."""
    if len(results) < _LEAST:
        return Markup("")
    dots = [(_across(one.time, results), _up(one.value, results)) for one in results]
    used = [one.source == feature.source for one in results]
    parts = [Markup('<polyline class="trend-line" points="{}"/>').format(" ".join(f"{x},{y}" for x, y in dots))]
    for (x, y), is_used in zip(dots, used, strict=True):
        kind, radius = ("trend-used", 3.5) if is_used else ("trend-dot", 2)
        parts.append(Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(kind, x, y, radius))
    return Markup('<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, spoken(feature, results, zone), Markup("").join(parts)
    )


def spoken(feature: Feature, results: Sequence[EarlierResult], zone: ZoneInfo) -> str:
    """Every result with its day, the oldest first."""
    told = ", ".join(f"{one.comparator}{_number(one.value)} on {number_text.date(one.time, zone)}" for one in results)
    definition = FEATURES[feature.name]
    unit = f" in{number_text.unit(definition.unit)}" if number_text.unit(definition.unit) else ""
    return f"{definition.label}{unit}: {told}"


def _number(value: float) -> str:
    return f"{round(value, 2):g}"


def _across(time: datetime, results: Sequence[EarlierResult]) -> float:
    first, last = results[0].time, results[-1].time
    part = (time - first) / (last - first) if last > first else 0.5
    return round(EDGE + part * (WIDTH - 2 * EDGE), 1)


def _up(value: float, results: Sequence[EarlierResult]) -> float:
    values = [one.value for one in results]
    low, high = min(values), max(values)
    part = (value - low) / (high - low) if high > low else 0.5
    return round(HEIGHT - EDGE - part * (HEIGHT - 2 * EDGE), 1)
