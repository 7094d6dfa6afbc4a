"""Numbers in plain words: the one place where a risk, a value or a date becomes text."""

from __future__ import annotations

import datetime as calendar
import math
import re
from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from fhir_mappings.patient.diagnosis_features import ONLY_PAST
from fhir_mappings.results.feature import Feature, FeatureDefinition

_WORD = re.compile(r"[^\W_]\S*")
_ROMAN = ("", "I", "II", "III", "IV", "V")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def frequency(probability: float, denominator: int) -> str:
    """A natural frequency: "about 8 in 1,000"; below one in the denominator "fewer than 1 in 1,000" (DEC-27)."""
    about = "about " if probability * denominator >= 1 else ""
    return f"{about}{count_in(probability, denominator)}"


def count_in(probability: float, denominator: int) -> str:
    """As `frequency`, where the sentence has already said "about": "8 in 1,000"."""
    return f"{count(probability, denominator).replace('under', 'fewer than')} in {denominator:,}"


def count(probability: float, denominator: int) -> str:
    """So many, where the denominator has been said: "8"; below one "under 1"."""
    many = probability * denominator
    return str(_round_half_up(many)) if many >= 1 else "under 1"


def percent(probability: float, denominator: int = 1000) -> str:
    """A percentage without false precision: 14 %; of outcomes told in 1,000 two digits: 3.2 %, 0.82 %."""
    value = 100 * probability
    if value >= 10 or denominator == 100:
        return f"{_round_half_up(value)} %" if value >= 1 else "under 1 %"
    if value >= 1:
        return f"{_round_half_up(10 * value) / 10:.1f} %"
    # Two digits of a rare outcome: 0.82 %, 0.37 %; the third is more than any of these models can tell.
    return f"{_round_half_up(100 * value) / 100:g} %" if value >= 0.05 else "under 0.05 %"


def words(text: str) -> int:
    """How many words a text has; a number is one, a mark between two is none."""
    return len(_WORD.findall(text))


def _round_half_up(value: float) -> int:
    return math.floor(value + 0.5)


def date(time: datetime, zone: ZoneInfo) -> str:
    """A day as clinicians write it: 19 Nov 2026."""
    local = time.astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def calendar_day(day: calendar.date) -> str:
    """A day without a time, as clinicians write it: 19 Nov 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def day(time: datetime, today: datetime) -> str:
    """A day, with its year only where that is not today's: 3 Nov. `today` is aware, in the hospital's zone."""
    local = time.astimezone(today.tzinfo)
    return f"{local.day} {_MONTHS[local.month - 1]}" + (f" {local.year}" if local.year != today.year else "")


def minute(time: datetime, zone: ZoneInfo) -> str:
    """A day and minute with its zone: 22 Nov 2026 10:02 UTC."""
    local = time.astimezone(zone)
    return f"{calendar_day(local)} {local.hour:02}:{local.minute:02} {local.tzname()}"


def none_found(source: str | None, flags: Collection[str]) -> str:
    """What a "no" is: answered so by somebody, recorded as over, or found nowhere."""
    if ONLY_PAST in flags:
        return "only in the past"
    return "no" if source else "none recorded"


def value(feature: Feature, definition: FeatureDefinition) -> str:
    """The value with its unit: "1.9 mg/dL", "III"; "none recorded" for a diagnosis that a search did not find.

    What somebody answered with no is "no".
    """
    told = feature.value
    if definition.kind == "yes-no":
        return "yes" if told else none_found(feature.source, feature.flags)
    if feature.name == "asa_class" and isinstance(told, int | float):
        return _ROMAN[int(told)]
    if isinstance(told, str):
        return told.replace("-", " ")
    if feature.name == "age" and feature.possible is not None:
        return f"{feature.possible[0]:g} or {feature.possible[1]:g} (birth date not exact)"
    if isinstance(told, int | float):
        number = f"{round(float(told), definition.decimals):g}" if abs(float(told)) < 1e6 else f"{told:g}"
        return f"{feature.comparator or ''}{number}{unit(definition.unit)}"
    return "not recorded"


_UNITS = {
    "1": "",
    "a": "",
    "years": "",
    "{INR}": "",
    "{score}": "",
    "%": " %",
    "10*3/uL": " thousand/uL",
    "mL/min/{1.73_m2}": " mL/min/1.73 m2",
}


def unit(ucum: str) -> str:
    """A UCUM unit as people write it, with its leading blank; nothing for a pure number."""
    if not ucum:
        return ""
    return _UNITS.get(ucum, f" {ucum}")
