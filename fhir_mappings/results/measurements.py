"""Numbers from Observations: the measurements of inputs 2, and the two that are computed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial

from msgspec.structs import replace

from fhir_mappings.fhir.clock import Clock
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.resources import Valued
from fhir_mappings.results import quantities
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.finding_rules import FINDINGS
from fhir_mappings.results.measurement_rules import RULES, MeasurementRule
from fhir_mappings.results.observations import RecordedByInput
from fhir_mappings.results.quantities import Reading
from fhir_mappings.results.result_selection import NEWER_UNREADABLE, OTHER_UNREADABLE, Selection, winner

_ALL = RULES | FINDINGS
_READERS: dict[str, Callable[[Valued], Reading]] = {
    name: partial(quantities.read_value, rule) for name, rule in _ALL.items()
}
_HALF_UNITS = {name: partial(quantities.half_unit, rule) for name, rule in _ALL.items()}
_IDEAS = {name: rule.idea for name, rule in _ALL.items()}


def measurement(name: str, recorded: RecordedByInput, coverage: Coverage, now: Clock) -> Feature:
    """One measurement in its canonical unit: the result that counts as of the hook, or why there is none."""
    rule = _ALL[name]
    results, coverage = recorded.get(_IDEAS[name]), coverage.within(rule.lookback_days)
    outcome = winner(results, _READERS[name], rule.lookback_days, now, _HALF_UNITS[name]) if results else None
    if outcome is None:
        return _missing(name, rule.unit, coverage.gap or "never-recorded")
    return feature_of_outcome(name, rule.unit, outcome, coverage)


def measured(rule: MeasurementRule, recorded: RecordedByInput, coverage: Coverage, now: Clock) -> Feature:
    """A measurement by a rule that is in no table of ours: of a value that the site added."""
    results, coverage = recorded.get(rule.idea), coverage.within(rule.lookback_days)
    read, half_unit = partial(quantities.read_value, rule), partial(quantities.half_unit, rule)
    outcome = winner(results, read, rule.lookback_days, now, half_unit) if results else None
    if outcome is None:
        return _missing(rule.name, rule.unit, coverage.gap or "never-recorded")
    return feature_of_outcome(rule.name, rule.unit, outcome, coverage)


@lru_cache(maxsize=1024)
def _missing(name: str, unit: str, reason: str) -> Feature:
    """Nothing recorded, the same for everybody."""
    return Feature(name=name, status="missing", unit=unit, reason=reason)


def feature_of_outcome(name: str, unit: str, outcome: Selection, coverage: Coverage) -> Feature:
    """The feature that an outcome amounts to. A stale value is told with its date and never given to a model."""
    candidate, reading = outcome.winner, outcome.winner.reading
    shown = outcome.status in ("used", "used-with-conversion", "stale")
    return Feature(
        name=name,
        status=outcome.status,
        value=reading.value if shown else None,
        model_value=reading.model_value if shown and outcome.status != "stale" else None,
        unit=unit,
        time=candidate.when.time if candidate.when else None,
        date_only=candidate.when.date_only if candidate.when else False,
        source=candidate.recorded.source,
        reason=outcome.reason,
        flags=outcome.flags + coverage.flags,
        recorded_value=reading.recorded_value if shown else None,
        recorded_unit=reading.recorded_unit if shown else None,
        comparator=reading.comparator if shown else None,
        possible=reading.possible if shown else None,
    )


# What is doubted of a number is doubted of what rests on it.
_INHERITED = ("unit-assumed", NEWER_UNREADABLE, OTHER_UNREADABLE)


def body_mass_index(recorded: Feature, height: Feature, weight: Feature, now: Clock) -> Feature:
    """Body mass index, kg/m2: the recorded one, unless height and weight say otherwise or the weight is newer.

    They say otherwise where they differ by more than 1.0. Computed: source both Observations, time the weight's.
    """
    computed = _computed_bmi(height, weight)
    if computed is None:
        return recorded
    if not recorded.usable:
        return computed
    later = _day(weight.time, now) > _day(recorded.time, now)
    if later or abs(_number(computed) - _number(recorded)) > 1.0:
        return computed
    return recorded


def _day(when: datetime | None, now: Clock) -> int:
    return when.astimezone(now.zone).toordinal() if when else 0


def _number(feature: Feature) -> float:
    assert isinstance(feature.value, float)  # noqa: S101 - usable measurements are numbers
    return feature.value


def _computed_bmi(height: Feature, weight: Feature) -> Feature | None:
    if not (height.usable and weight.usable) or height.possible or weight.possible:
        return None
    value = _number(weight) / (_number(height) / 100) ** 2
    low, high = RULES["bmi"].hard
    if not low <= round(value, 6) <= high:
        return None
    return Feature(
        name="bmi",
        status="used",
        value=value,
        model_value=value,
        unit="kg/m2",
        time=weight.time,
        date_only=weight.date_only,
        source=f"{weight.source} {height.source}",
        flags=(
            "bmi-computed",
            *(() if _is_usual(RULES["bmi"], value) else ("unusual",)),
            *(flag for flag in _INHERITED if flag in (*height.flags, *weight.flags)),
        ),
    )


def _is_usual(rule: MeasurementRule, value: float) -> bool:
    return rule.soft[0] <= value <= rule.soft[1]


def filtration_rate(creatinine: Feature, age: Feature, sex: Feature, reported: Feature, dialysis: Feature) -> Feature:
    """Estimated glomerular filtration rate, mL/min/1.73 m2, from the creatinine in use; else the reported one.

    Missing, naming what it lacks, where age or sex is not known. Source: CKD-EPI 2021,
    https://doi.org/10.1056/NEJMoa2102953
    """
    on_dialysis = ("on-dialysis",) if dialysis.usable and dialysis.value is True else ()
    if not creatinine.usable:
        if reported.reason == creatinine.reason == "never-recorded" or reported.reason != "never-recorded":
            return _flagged(reported, on_dialysis)
        return Feature(
            name="egfr", status="missing", unit=reported.unit, reason="creatinine-missing", flags=on_dialysis
        )
    lacking = next((f"{one.name}-missing" for one in (age, sex) if not one.usable), None)
    if creatinine.possible:
        lacking = "censored"
    if lacking:
        return Feature(name="egfr", status="missing", unit="mL/min/{1.73_m2}", reason=lacking, flags=on_dialysis)
    rate = partial(ckd_epi_2021, _number(creatinine), female=sex.value == "female")
    value = rate(age=_number(age))
    flags: tuple[str, ...] = () if _is_usual(RULES["egfr"], value) else ("unusual",)
    flags += ("age-approximate",) if age.possible else ()
    flags += tuple([flag for flag in creatinine.flags if flag in _INHERITED])
    return Feature(
        name="egfr",
        status="used",
        value=value,
        model_value=value,
        unit="mL/min/{1.73_m2}",
        time=creatinine.time,
        date_only=creatinine.date_only,
        source=creatinine.source,
        flags=("egfr-computed", *flags, *on_dialysis),
        possible=(rate(age=age.possible[1]), rate(age=age.possible[0])) if age.possible else None,
    )


def _flagged(feature: Feature, flags: tuple[str, ...]) -> Feature:
    if not flags:
        return feature

    return replace(feature, flags=feature.flags + flags)


def ckd_epi_2021(creatinine_mg_dl: float, *, age: float, female: bool) -> float:
    """Estimated glomerular filtration rate, mL/min/1.73 m2. Source: https://doi.org/10.1056/NEJMoa2102953."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine_mg_dl / kappa
    rate: float = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.200 * 0.9938**age
    return rate * 1.012 if female else rate
