"""Tests of which only suggestions ask: whether they were done, and of the iron stores also the number."""

from __future__ import annotations

from msgspec import Struct

from fhir_mappings.results.measurement_rules import MeasurementRule
from fhir_mappings.terminology.units import SAME, commensurable


class Tested(Struct, frozen=True):
    """One test, named as its value set. `days`: for how long a result makes another superfluous."""

    idea: str
    days: int
    laboratory: bool = True
    number: MeasurementRule | None = None


def _counted(rule: MeasurementRule) -> Tested:
    return Tested(rule.idea, rule.lookback_days, rule.laboratory, rule)


# Days: the look-backs of the catalogue. Hard limits: what a laboratory can report at all; a product decision.
TESTED: dict[str, Tested] = {
    one.idea: one
    for one in (
        _counted(
            MeasurementRule(
                name="ferritin",
                label="ferritin",
                unit="ng/mL",
                units=commensurable("ng/mL"),
                lookback_days=90,
                hard=(0.5, 100_000),
                soft=(1, 5_000),
            )
        ),
        _counted(
            MeasurementRule(
                name="transferrin-saturation",
                label="transferrin saturation",
                unit="%",
                units={"%": SAME},
                lookback_days=90,
                hard=(0, 100),
                soft=(1, 100),
            )
        ),
        Tested("nt-probnp", 90),
        Tested("vitamin-d", 730),
        Tested("prealbumin", 90),
        Tested(
            "blood-group-sample", 3
        ),  # the usual window of a blood bank: an assumption, local policy decides (catalogue row 26)
        Tested("ecg", 365, laboratory=False),
        Tested("dxa", 730, laboratory=False),
        Tested("frailty-score", 180, laboratory=False),
        Tested("dasi", 90, laboratory=False),
    )
}
