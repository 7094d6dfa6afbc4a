"""One recorded value, read by one measurement's rule: the number in the canonical unit, or why it is not taken."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.fhir.elements import ABSENT, UNREADABLE_QUANTITY, CodeableConcept, Interval, Quantity, printed_number
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.results.feature import FeatureValue, Status
from fhir_mappings.results.measurement_rules import CutPoint, MeasurementRule
from fhir_mappings.terminology.unit_texts import MEANINGS_OF, ucum, unit_of
from fhir_mappings.terminology.units import Conversion

# https://terminology.hl7.org/CodeSystem-data-absent-reason.html; the rest are "unknown".
_ABSENT_REASONS = {
    "temp-unknown": "awaited",
    "masked": "masked",
    "not-permitted": "masked",
    "not-performed": "not-done",
    "not-asked": "not-done",
    "asked-declined": "declined",
}
_COMPARATORS = frozenset({"<", "<=", ">", ">="})
_LONGEST_TEXT = 128  # characters; a number with its unit is shorter
_NUMBER_AND_UNIT = re.compile(r"(<=|>=|<|>)?\s{0,9}([0-9]{1,9}(?:\.[0-9]{1,9})?)(.*)\Z")


class Reading(Struct, frozen=True, gc=False):
    """A value as an input takes it: in the canonical unit, with how it was recorded; or why it is not taken."""

    status: Status
    value: FeatureValue | None = None
    reason: str | None = None
    flags: tuple[str, ...] = ()
    model_value: FeatureValue | None = None
    recorded_value: float | None = None
    recorded_unit: str | None = None
    comparator: str | None = None
    possible: tuple[float, float] | None = None

    @property
    def usable(self) -> bool:
        """Whether there is a value that may be used."""
        return self.status in ("used", "used-with-conversion")


def rejected(reason: str) -> Reading:
    """A value that is there and not acceptable."""
    return Reading("rejected", reason=reason)


def absent(reason: CodeableConcept | None) -> Reading:
    """No value, for the reason given, or an unknown one."""
    codes = [coding.code for coding in reason.coding] if reason else []
    return Reading("missing", reason=next((_ABSENT_REASONS[c] for c in codes if c in _ABSENT_REASONS), "unknown"))


def read_value(rule: MeasurementRule, valued: Valued) -> Reading:
    """The value of an Observation or component, as the rule takes it (inputs 1.4)."""
    if (quantity := valued.value_quantity) is not None:
        unreadable = quantity is UNREADABLE_QUANTITY
        return rejected("unreadable") if unreadable else _quantity(rule, quantity, valued.data_absent_reason)
    if valued.value_string is not None:
        return _string(rule, valued.value_string)
    if valued.value_integer is not None:
        return _without_unit(rule, float(valued.value_integer), "")
    if valued.value_range is not None:
        return _interval(rule, valued.value_range)
    others = (valued.value_boolean, valued.value_ratio, valued.value_sampled_data)
    if valued.value_codeable_concept is not None or any(other is not ABSENT for other in others):
        return rejected("non-numeric")
    return absent(valued.data_absent_reason)


def _quantity(rule: MeasurementRule, quantity: Quantity, why_absent: CodeableConcept | None) -> Reading:
    if quantity.value is None:
        return absent(why_absent)
    comparator = quantity.comparator or ""
    if comparator and comparator not in _COMPARATORS:
        return rejected("comparator-unknown")
    if not quantity.code and not quantity.unit:
        return _without_unit(rule, quantity.value, comparator)
    unit, other = unit_of(quantity.code, quantity.system, quantity.unit)
    if not unit:
        return rejected("unit-unknown")
    if unit in MEANINGS_OF:
        unit = meant(rule, unit)
    conversion = rule.units.get(unit)
    if conversion is None:
        return rejected("unit-mismatch")
    differs = other and rule.units.get(meant(rule, other)) != conversion
    flags = ("unit-text-differs",) if differs else ()
    return _number(rule, quantity.value, unit, conversion, comparator=comparator, flags=flags)


def meant(rule: MeasurementRule, unit: str) -> str:
    """What a unit that can be two things is of this measurement."""
    return next((one for one in MEANINGS_OF.get(unit, ()) if one in rule.units), unit)


def _without_unit(rule: MeasurementRule, number: float, comparator: str) -> Reading:
    if rule.unitless:
        return _number(rule, number, rule.unit, rule.units[rule.unit], comparator=comparator)
    fitting = [one.unit for one in rule.assumed if rule.laboratory and one.low <= number <= one.high]
    if len(fitting) != 1:
        return rejected("unit-missing")
    unit = fitting[0]
    return _number(rule, number, unit, rule.units[unit], comparator=comparator, flags=("unit-assumed",))


def _string(rule: MeasurementRule, text: str) -> Reading:
    match = number_in(text)
    if match is None:
        return rejected("non-numeric")
    comparator, digits, unit_text = match[1] or "", match[2], match[3].strip()
    if not unit_text:
        if not rule.unitless:
            return rejected("non-numeric")
        return _number(rule, float(digits), rule.unit, rule.units[rule.unit], comparator=comparator)
    unit = meant(rule, ucum(unit_text))
    conversion = rule.units.get(unit)
    if conversion is None:
        return rejected("non-numeric")
    return _number(rule, float(digits), unit, conversion, comparator=comparator)


def number_in(text: str) -> re.Match[str] | None:
    """Comparator, digits and what follows, of a text that begins with a number."""
    text = text.strip()
    return _NUMBER_AND_UNIT.match(text) if len(text) <= _LONGEST_TEXT else None


def half_unit(rule: MeasurementRule, valued: Valued, reading: Reading) -> float:
    """Half a unit of the last printed decimal of a number that was read, in the canonical unit (inputs 1.3 step 4)."""
    if valued.value_quantity is not None:
        printed = printed_number(valued.written_quantity)
    elif valued.value_string is not None:
        match = number_in(valued.value_string)
        printed = match[2] if match else ""
    else:
        printed = "1" if valued.value_integer is not None else ""
    if not printed:
        return 0.0
    exponent = Decimal(printed).as_tuple().exponent
    conversion = rule.units[reading.recorded_unit or rule.unit]
    return abs(conversion.factor) * 10.0 ** min(int(exponent), 0) / 2


def _number(
    rule: MeasurementRule,
    number: float,
    unit: str,
    conversion: Conversion,
    *,
    comparator: str = "",
    flags: tuple[str, ...] = (),
) -> Reading:
    value = conversion.apply(number)
    rounded = round(value, 6) if math.isfinite(value) else value
    if not rule.hard[0] <= rounded <= rule.hard[1]:
        return rejected("unit-conflict" if "unit-text-differs" in flags else "implausible")
    if comparator and not _one_sided(rule, unit, *_allowed(number, comparator)):
        return Reading("missing", reason="censored")
    if not rule.soft[0] <= rounded <= rule.soft[1]:
        flags = (*flags, "unusual")
    converted = conversion.changes_the_number
    given = _beyond(rule, number, unit, value, comparator) if comparator else model_value(rule, number, unit, value)
    return Reading(
        "used-with-conversion" if converted else "used",
        value=value,
        flags=(*flags, "bound") if comparator else flags,
        model_value=given,
        recorded_value=number if converted else None,
        recorded_unit=unit if converted else None,
        comparator=comparator or None,
        possible=_possible(given, comparator) if comparator else None,
    )


def _possible(nearest: float, comparator: str) -> tuple[float, float]:
    """From where to where a bound allows the number to lie; `nearest` to the bound is the one that models are given."""
    return (-math.inf, nearest) if comparator.startswith("<") else (nearest, math.inf)


def _interval(rule: MeasurementRule, interval: Interval) -> Reading:
    low, high = interval.low, interval.high
    if low is None or high is None or low.value is None or high.value is None:
        return rejected("non-numeric")
    unit, _ = unit_of(low.code, low.system, low.unit)
    if unit != unit_of(high.code, high.system, high.unit)[0] or unit not in rule.units or low.value > high.value:
        return rejected("unit-mismatch" if unit else "unit-missing")
    conversion = rule.units[unit]
    middle = _number(rule, (low.value + high.value) / 2, unit, conversion, flags=("bound",))
    if not middle.usable:
        return middle
    if not _one_sided(rule, unit, (low.value, True), (high.value, True)):
        return Reading("missing", reason="censored")
    ends = (model_value(rule, number, unit, conversion.apply(number)) for number in (low.value, high.value))
    return replace(middle, possible=(next(ends), next(ends)))


Limit = tuple[float, bool]


def _allowed(number: float, comparator: str) -> tuple[Limit, Limit]:
    """From where to where a bound allows the number to lie, and whether the ends are included."""
    included = comparator.endswith("=")
    if comparator.startswith("<"):
        return (-math.inf, False), (number, included)
    return (number, included), (math.inf, False)


def _one_sided(rule: MeasurementRule, unit: str, low: Limit, high: Limit) -> bool:
    """Whether all that is allowed lies on one side of every scored cut-point; never where there is none."""
    scored = [cut for cut in rule.cut_points if cut.scored]
    return bool(scored) and all(_is_one_sided(cut, rule, unit, low, high) for cut in scored)


def _is_one_sided(cut: CutPoint, rule: MeasurementRule, unit: str, low: Limit, high: Limit) -> bool:
    limit, bottom = _comparable(cut, rule, unit, low[0])
    _, top = _comparable(cut, rule, unit, high[0])
    all_below = top < limit or (top == limit and (cut.belongs == "below" or not high[1]))
    all_above = bottom > limit or (bottom == limit and (cut.belongs == "above" or not low[1]))
    return all_below or all_above


def _comparable(cut: CutPoint, rule: MeasurementRule, unit: str, number: float) -> tuple[float, float]:
    """The limit and the number as they are compared: in the unit of the recorded one's dimension in which the limit
    is published, of which it is a power of ten, and rounded as the limit is (inputs 1.5).
    """
    conversion = rule.units[unit]
    limit, decimals = cut.elsewhere.get(conversion.published, (cut.value, None))
    if not math.isfinite(number):
        return limit, number
    published = Decimal(repr(number)) * conversion.scale
    if decimals is not None:
        return limit, float(published.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
    if conversion.published != rule.unit:
        return limit, round(conversion.apply(number), 6)
    return limit, round(float(published), 6)


def _is_above(number: float, limit: float, belongs: str) -> bool:
    return number >= limit if belongs == "above" else number > limit


def model_value(rule: MeasurementRule, number: float, unit: str, value: float) -> float:
    """The canonical number, moved onto the side of each cut-point on which the recorded number stands (1.5)."""
    if rule.whole_number:
        return math.floor(value + 0.5)
    if unit == rule.unit:
        return value
    for cut in rule.cut_points:
        limit, recorded = _comparable(cut, rule, unit, number)
        above = _is_above(recorded, limit, cut.belongs)
        if above != _is_above(value, cut.value, cut.belongs):
            value = _just(cut, above=above)
    return value


def _just(cut: CutPoint, *, above: bool) -> float:
    """The number nearest to the cut-point on the side wanted."""
    if above:
        return float(cut.value) if cut.belongs == "above" else math.nextafter(cut.value, math.inf)
    return float(cut.value) if cut.belongs == "below" else math.nextafter(cut.value, -math.inf)


def _beyond(rule: MeasurementRule, number: float, unit: str, value: float, comparator: str) -> float:
    """A number that the bound allows, near to it, and on the side of every cut-point on which all it allows lies.

    176.8 umol/L is 1.9995 mg/dL, and "> 176.8" is above 2.0 (inputs 1.5).
    """
    upwards, included = comparator.startswith(">"), comparator.endswith("=")
    if not included:
        value = math.nextafter(value, math.inf if upwards else -math.inf)
    for cut in rule.cut_points:
        limit, recorded = _comparable(cut, rule, unit, number)
        above = _is_above(recorded, limit, cut.belongs) or (upwards and not included and recorded == limit)
        below = not above or (not upwards and not included and recorded == limit)
        one_sided = above if upwards else below
        if one_sided and _is_above(value, cut.value, cut.belongs) != upwards:
            value = _just(cut, above=upwards)
    return value
