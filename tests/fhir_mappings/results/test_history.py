"""Earlier results are read by the rule that reads the one that counts; what cannot be read is in no trend."""

from __future__ import annotations

import pytest

from fhir_mappings.results import history
from tests import builders
from tests.builders import Resource, an_observation, days_ago


def values(*resources: Resource, name: str = "creatinine") -> list[float]:
    record = builders.a_record(*resources)
    return [one.value for one in history.of(name, record.recorded, record.clock)]


def creatinine(value: float, days: float, *, number: int = 0, unit: str = "mg/dL", **members: object) -> Resource:
    members = {"effectiveDateTime": days_ago(days), "id": f"cr-{days}-{number}", **members}
    return an_observation("2160-0", value, unit, **members)


def test_the_oldest_stands_first_however_old_it_is() -> None:
    assert values(creatinine(1.9, 5), creatinine(1.1, 900), creatinine(1.4, 100)) == [1.1, 1.4, 1.9]


def test_another_unit_is_converted() -> None:
    assert values(creatinine(88.4, 20, unit="umol/L"), creatinine(1.5, 5)) == [pytest.approx(1.0, rel=1e-3), 1.5]


@pytest.mark.parametrize(
    "other",
    [
        creatinine(1.2, 10, status="preliminary"),
        creatinine(1.2, 10, status="entered-in-error"),
        creatinine(1.2, 10, unit="furlong"),
        creatinine(1200.0, 10),
        creatinine(1.2, -30),
        creatinine(1.2, 10, effectiveDateTime="yesterday"),
    ],
    ids=["preliminary", "entered in error", "no unit of it", "implausible", "of the future", "without a date"],
)
def test_what_the_rule_does_not_take_is_in_no_trend(other: Resource) -> None:
    assert values(creatinine(1.9, 5), other) == [1.9]


def test_only_the_last_twelve_are_kept() -> None:
    many = [creatinine(1.0 + days / 1000, days) for days in range(1, 40)]
    assert values(*many) == [pytest.approx(1.0 + days / 1000) for days in range(history.MOST, 0, -1)]


def test_each_says_which_observation_it_is() -> None:
    record = builders.a_record(creatinine(1.9, 5))
    assert [one.source for one in history.of("creatinine", record.recorded, record.clock)] == ["Observation/cr-5-0"]
