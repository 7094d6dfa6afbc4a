"""A recorded value becomes a number in the canonical unit, or says why not (inputs 1.4 and 1.5)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.terminology.code_systems import LOINC, UCUM
from tests.builders import (
    a_quantity,
    coded,
    measured,
)


@pytest.mark.parametrize(
    ("name", "recorded", "unit", "value", "status"),
    [
        ("creatinine", 1.9, "mg/dL", 1.9, "used"),
        ("creatinine", 168, "umol/L", 1.9, "used-with-conversion"),
        ("haemoglobin", 109, "g/L", 10.9, "used-with-conversion"),
        ("haemoglobin", 7.0, "mmol/L", 11.277, "used-with-conversion"),
        ("albumin", 35, "g/L", 3.5, "used-with-conversion"),
        ("platelets", 210, "10*9/L", 210, "used"),
        ("platelets", 210_000, "/uL", 210, "used-with-conversion"),
        ("sodium", 139, "meq/L", 139, "used"),
        ("glucose", 7.0, "mmol/L", 126.112, "used-with-conversion"),
        ("hba1c", 53, "mmol/mol", 7.0, "used-with-conversion"),
        ("inr", 1.1, "1", 1.1, "used"),
        ("height", 1.7, "m", 170, "used-with-conversion"),
        ("height", 70, "[in_i]", 177.8, "used-with-conversion"),
        ("weight", 176, "[lb_av]", 79.832, "used-with-conversion"),
    ],
)
def test_a_number_is_told_in_the_canonical_unit(
    name: str, recorded: float, unit: str, value: float, status: str
) -> None:
    found = measured(name, recorded, unit)
    assert found.status == status
    assert found.value == pytest.approx(value, abs=5e-3)
    assert (found.recorded_value, found.recorded_unit) == (
        (recorded, unit) if status == "used-with-conversion" else (None, None)
    )


@pytest.mark.parametrize(
    ("name", "value", "unit", "reason"),
    [
        ("creatinine", 1.1, "g/dL", "implausible"),
        ("creatinine", 1.1, "mmol/mol", "unit-mismatch"),
        ("creatinine", 1.1, "mol/mol of something", "unit-unknown"),
        ("haemoglobin", 109, "g/dL", "implausible"),
        ("weight", 7, "kg", "implausible"),
        ("height", 1.7, "cm", "implausible"),
        ("sodium", 1, "mmol/L", "implausible"),
        ("creatinine", 0, "mg/dL", "implausible"),
        ("creatinine", -1.1, "mg/dL", "implausible"),
        ("egfr", 60, "mL/min", "unit-mismatch"),
        ("hba1c", 0.07, "g/g", "unit-unknown"),
    ],
)
def test_what_is_not_acceptable_is_rejected_and_never_repaired(name: str, value: float, unit: str, reason: str) -> None:
    found = measured(name, value, unit)
    assert (found.status, found.reason, found.value) == ("rejected", reason, None)


@pytest.mark.parametrize(
    ("name", "value", "canonical", "status"),
    [
        ("haemoglobin", 10.9, 10.9, "used"),
        ("haemoglobin", 109, 10.9, "used-with-conversion"),
        ("creatinine", 97, 1.097, "used-with-conversion"),
        ("creatinine", 1.1, 1.1, "used"),
        ("hba1c", 6.5, 6.5, "used"),
        ("hba1c", 48, 6.543, "used-with-conversion"),
    ],
)
def test_a_laboratory_number_without_unit_is_read_where_only_one_unit_fits(
    name: str, value: float, canonical: float, status: str
) -> None:
    found = measured(name, None, valueQuantity={"value": value})
    assert (found.status, found.flags) == (status, ("unit-assumed",))
    assert found.value == pytest.approx(canonical, abs=1e-3)


@pytest.mark.parametrize(("name", "value"), [("haemoglobin", 30), ("creatinine", 20), ("weight", 80), ("spo2", 97)])
def test_a_number_without_unit_that_could_be_either_is_rejected(name: str, value: float) -> None:
    assert measured(name, None, valueQuantity={"value": value}).reason == "unit-missing"


def test_an_inr_needs_no_unit() -> None:
    found = measured("inr", None, valueQuantity={"value": 1.2})
    assert (found.status, found.flags) == ("used", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7.2 %", ("used", 7.2, None)),
        (" 7.2%", ("used", 7.2, None)),
        ("53 mmol/mol", ("used-with-conversion", 7.0, None)),
        ("7.2", ("rejected", None, "non-numeric")),
        ("7,2 %", ("rejected", None, "non-numeric")),
        ("see note", ("rejected", None, "non-numeric")),
        ("7.2 mg/dL", ("rejected", None, "non-numeric")),
        ("> 6 %", ("missing", None, "censored")),
    ],
)
def test_a_text_is_read_strictly(text: str, expected: tuple[str, float | None, str | None]) -> None:
    found = measured("hba1c", None, valueString=text)
    status, value, reason = expected
    assert (found.status, found.reason) == (status, reason)
    assert found.value == (pytest.approx(value, abs=1e-3) if value else None)


@pytest.mark.parametrize(
    ("reason", "told"),
    [("masked", "masked"), ("not-performed", "not-done"), ("asked-declined", "declined"), ("error", "unknown")],
)
def test_no_value_is_missing_for_the_reason_given(reason: str, told: str) -> None:
    absent = coded(("http://terminology.hl7.org/CodeSystem/data-absent-reason", reason))
    found = measured("haemoglobin", None, dataAbsentReason=absent)
    assert (found.status, found.reason) == ("missing", told)


@pytest.mark.parametrize(
    ("comparator", "value", "status", "reason"),
    [
        ("<=", 1.5, "used", None),
        ("<", 1.5, "used", None),
        ("<", 1.0, "used", None),
        (">=", 1.5, "missing", "censored"),
        (">", 1.5, "missing", "censored"),  # could be above or below 2.0
        (">", 2.0, "used", None),
        ("<", 2.0, "missing", "censored"),
        ("ad", 1.0, "rejected", "comparator-unknown"),
    ],
)
def test_a_bound_counts_where_all_that_it_allows_lies_on_one_side(
    comparator: str, value: float, status: str, reason: str | None
) -> None:
    found = measured("creatinine", None, valueQuantity=a_quantity(value, comparator=comparator))
    assert (found.status, found.reason) == (status, reason)
    if status == "used":
        assert (found.value, found.comparator, found.flags) == (value, comparator, ("bound",))
        model_value = found.model_value
        assert isinstance(model_value, float)
        assert (model_value > 1.5) == (comparator == ">")
        assert found.possible == ((model_value, math.inf) if comparator == ">" else (-math.inf, model_value))


@pytest.mark.parametrize(("comparator", "above"), [("<=", False), ("<", False), (">", True)])
def test_a_bound_in_another_unit_stays_on_its_side_of_the_cut_point(comparator: str, above: bool) -> None:
    """133 umol/L are 1.504 mg/dL, and not elevated: neither is "at most 133 umol/L" (inputs 1.5)."""
    limit = 176.8 if above else 133
    found = measured("creatinine", None, valueQuantity=a_quantity(limit, "umol/L", comparator=comparator))
    assert found.usable
    assert isinstance(found.model_value, float)
    assert (found.model_value > (2.0 if above else 1.5)) == above


def test_a_bound_without_a_cut_point_to_lie_beyond_is_missing() -> None:
    found = measured("albumin", None, valueQuantity=a_quantity(4, "g/dL", comparator=">"))
    assert (found.status, found.reason) == ("missing", "censored")


def test_a_reported_rate_above_sixty_lies_beyond_every_stage() -> None:
    quantity = a_quantity(60, "mL/min/{1.73_m2}", comparator=">")
    found = measured("egfr", None, valueQuantity=quantity)
    assert (found.status, found.value, found.comparator) == ("used", 60, ">")


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.8, 1.2, ("used", 1.0)), (1.4, 1.6, ("missing", None)), (1.6, 1.9, ("used", 1.75))]
)
def test_a_range_counts_by_its_middle_where_both_ends_lie_on_one_side(
    low: float, high: float, expected: tuple[str, float | None]
) -> None:
    found = measured("creatinine", None, valueRange={"low": a_quantity(low), "high": a_quantity(high)})
    assert (found.status, found.value) == (expected[0], pytest.approx(expected[1]) if expected[1] else None)
    assert found.possible == ((low, high) if expected[1] else None)


@pytest.mark.parametrize(
    ("name", "recorded", "unit", "limit", "above"),
    [
        ("creatinine", 133, "umol/L", 1.5, False),  # 133 / 88.42 = 1.504, yet not elevated
        ("creatinine", 134, "umol/L", 1.5, True),
        ("creatinine", 132.63, "umol/L", 1.5, False),
        ("creatinine", 176.84, "umol/L", 2.0, False),
        ("creatinine", 176.8, "umol/L", 2.0, False),
        ("creatinine", 177, "umol/L", 2.0, True),
        ("creatinine", 1.5, "mg/dL", 1.5, False),
        ("creatinine", 1.51, "mg/dL", 1.5, True),
        ("haemoglobin", 100, "g/L", 10, False),
        ("haemoglobin", 101, "g/L", 10, True),
        ("haemoglobin", 6.24, "mmol/L", 10, False),
        ("haemoglobin", 6.25, "mmol/L", 10, True),
        ("glucose", 7.8, "mmol/L", 140, False),
        ("glucose", 7.85, "mmol/L", 140, True),
        ("hba1c", 58.4, "mmol/mol", 7.5, False),
        ("hba1c", 58.5, "mmol/mol", 7.5, True),
    ],
)
def test_a_number_stands_on_the_side_of_a_cut_point_on_which_it_was_recorded(
    name: str, recorded: float, unit: str, limit: float, above: bool
) -> None:
    model_value = measured(name, recorded, unit).model_value
    assert isinstance(model_value, float)
    assert (model_value > limit) is above


@pytest.mark.parametrize(("recorded", "whole"), [(95.5, 96), (95.4, 95), (90.5, 91), (90.4, 90), (97, 97)])
def test_a_saturation_is_compared_in_whole_per_cent(recorded: float, whole: float) -> None:
    found = measured("spo2", recorded)
    assert (found.value, found.model_value) == (recorded, whole)


@pytest.mark.parametrize(
    ("code", "value", "unit", "status"),
    [("3151-8", 2, "L/min", "rejected"), ("3151-8", 0, "L/min", "used"), ("3150-0", 40, "%", "rejected"),
     ("3150-0", 21, "%", "used"), ("3150-0", 0.21, "1", "used")],
)  # fmt: skip
def test_a_saturation_with_added_oxygen_is_not_room_air(code: str, value: float, unit: str, status: str) -> None:
    component = {"code": coded((LOINC, code)), "valueQuantity": a_quantity(value, unit)}
    found = measured("spo2", 97, component=[component])
    assert found.status == status


def test_the_unit_code_wins_over_its_text_unless_the_number_says_otherwise() -> None:
    agree = {"value": 12, "unit": "g/L", "system": UCUM, "code": "g/dL"}
    contradict = agree | {"value": 120}
    assert measured("haemoglobin", None, valueQuantity=agree).flags == ("unit-text-differs",)
    assert measured("haemoglobin", None, valueQuantity=contradict).reason == "unit-conflict"


@given(st.floats(0.31, 14.9), st.sampled_from(["mg/dL", "umol/L"]))
def test_a_unit_never_moves_a_creatinine_across_a_cut_point(number: float, unit: str) -> None:
    recorded = round(number * (88.42 if unit == "umol/L" else 1), 1)
    found = measured("creatinine", recorded, unit)
    published = {"mg/dL": (1.5, 2.0), "umol/L": (133.0, 176.8)}[unit]
    assert isinstance(found.model_value, float)
    assert [found.model_value > limit for limit in (1.5, 2.0)] == [recorded > limit for limit in published]


@pytest.mark.parametrize(
    ("interval", "reason"),
    [
        ({"low": a_quantity(0.8)}, "non-numeric"),
        ({"low": {"unit": "mg/dL"}, "high": a_quantity(1.2)}, "non-numeric"),
        ({"low": a_quantity(1.2), "high": a_quantity(0.8)}, "unit-mismatch"),
        ({"low": a_quantity(0.8), "high": a_quantity(90, "umol/L")}, "unit-mismatch"),
        ({"low": {"value": 0.8}, "high": {"value": 1.2}}, "unit-missing"),
    ],
)
def test_a_range_without_two_ends_in_one_unit_is_no_number(interval: dict[str, Any], reason: str) -> None:
    found = measured("creatinine", None, valueRange=interval)
    assert (found.status, found.reason) == ("rejected", reason)


@pytest.mark.parametrize("value", [{"valueBoolean": True}, {"valueCodeableConcept": {"text": "high"}}])
def test_an_answer_that_is_no_number_is_rejected_and_never_taken_as_not_recorded(value: dict[str, Any]) -> None:
    found = measured("creatinine", None, **value)
    assert (found.status, found.reason) == ("rejected", "non-numeric")
