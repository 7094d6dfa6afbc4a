"""Body mass index and filtration rate, and what is said where a measurement is not there (inputs 2)."""

from __future__ import annotations

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.results.measurements import ckd_epi_2021
from tests.builders import (
    AS_OF,
    a_condition,
    a_patient,
    a_quantity,
    an_observation,
    days_ago,
    derived,
)


def test_a_bound_of_creatinine_gives_no_filtration_rate() -> None:
    found = derived(an_observation("2160-0", None, valueQuantity=a_quantity(0.5, comparator="<")))
    assert found["creatinine"].usable
    assert (found["egfr"].status, found["egfr"].reason) == ("missing", "censored")


def test_a_quantity_that_cannot_be_read_is_rejected_and_an_older_one_counts() -> None:
    unreadable = an_observation("2160-0", None, valueQuantity={"value": "7.2", "unit": "mg/dL"})
    alone = derived(unreadable)["creatinine"]
    assert (alone.status, alone.reason, alone.value) == ("rejected", "unreadable", None)
    older = an_observation("2160-0", 1.1, "mg/dL", id="older", effectiveDateTime=days_ago(20))
    found = derived(unreadable, older)["creatinine"]
    assert (found.value, found.flags) == (pytest.approx(1.1), ("newer-unreadable",))
    assert derived(older, {**unreadable, "effectiveDateTime": days_ago(25)})["creatinine"].flags == ()


@pytest.mark.parametrize(
    ("recorded", "height", "weight", "expected", "flags"),
    [
        (27.0, 170, 78, 27.0, ()),  # computed 26.99
        (27.0, 170, 90, 31.14, ("bmi-computed",)),
        (None, 170, 78, 26.99, ("bmi-computed",)),
        (27.0, None, 78, 27.0, ()),
    ],
)
def test_body_mass_index_is_the_recorded_one_unless_height_and_weight_disagree(
    recorded: float | None, height: float | None, weight: float, expected: float, flags: tuple[str, ...]
) -> None:
    parts = [("39156-5", recorded, "kg/m2"), ("8302-2", height, "cm"), ("29463-7", weight, "kg")]
    found = derived(*(an_observation(code, value, unit) for code, value, unit in parts if value))["bmi"]
    assert found.value == pytest.approx(expected, abs=0.01)
    assert found.flags == flags


def test_a_newer_weight_gives_a_newer_body_mass_index() -> None:
    found = derived(
        an_observation("39156-5", 27.0, "kg/m2", effectiveDateTime=days_ago(20)),
        an_observation("8302-2", 170, "cm"),
        an_observation("29463-7", 78, "kg", effectiveDateTime=days_ago(2)),
    )["bmi"]
    assert (found.flags, found.source) == (("bmi-computed",), "Observation/o-29463-7 Observation/o-8302-2")


@pytest.mark.parametrize(
    ("creatinine", "age", "female", "rate"),
    [(1.0, 50, True, 69), (1.0, 50, False, 92), (0.6, 30, True, 124), (2.5, 70, False, 27)],
)
def test_the_filtration_rate_is_ckd_epi_2021(creatinine: float, age: float, female: bool, rate: float) -> None:
    """Values of the National Kidney Foundation's calculator."""
    assert ckd_epi_2021(creatinine, age=age, female=female) == pytest.approx(rate, abs=0.7)


def test_the_computed_rate_wins_over_a_reported_one_and_names_what_it_lacks() -> None:
    results = (an_observation(), an_observation("98979-8", 30, "mL/min/{1.73_m2}"))
    assert derived(*results)["egfr"].flags == ("egfr-computed",)
    assert derived(a_patient(gender="other"), *results)["egfr"].reason == "sex-missing"
    assert derived(results[1])["egfr"].value == 30


def test_a_rate_on_dialysis_says_so() -> None:
    assert "on-dialysis" in derived(an_observation(), a_condition("Z99.2"))["egfr"].flags


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        (SearchResult(), "never-recorded"),
        (SearchResult(failure="fetch-failed"), "fetch-failed"),
        (SearchResult(failure="not-authorised"), "not-authorised"),
        (SearchResult(failure="not-provided"), "not-provided"),
        (SearchResult(truncated=True), "truncated"),
    ],
)
def test_a_measurement_that_is_not_there_says_why(search: SearchResult, reason: str) -> None:
    found = derived(labs=search)["haemoglobin"]
    assert (found.status, found.reason) == ("missing", reason)


def test_the_hook_has_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        derived(as_of=AS_OF.replace(tzinfo=None))


def test_what_is_doubted_of_a_weight_is_doubted_of_the_index_that_rests_on_it() -> None:
    height, weight = an_observation("8302-2", 170, "cm"), an_observation("29463-7", 80, "kg", id="w")
    newer = an_observation("29463-7", None, id="newer", effectiveDateTime=days_ago(1), valueString="see note")
    found = derived(height, weight, newer)["bmi"]
    assert (found.status, found.flags) == ("used", ("bmi-computed", "newer-unreadable"))
    assert derived(height, weight)["bmi"].flags == ("bmi-computed",)
