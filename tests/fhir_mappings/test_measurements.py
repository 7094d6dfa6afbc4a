"""Measurements end where clinical/inputs.md sections 1 and 2 say, case by case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.code_systems import LOINC, UCUM
from fhir_mappings.feature import Feature
from fhir_mappings.measurements import ckd_epi_2021
from fhir_mappings.search_result import SearchResult
from tests.builders import (
    AS_OF,
    a_condition,
    a_patient,
    a_quantity,
    an_observation,
    coded,
    date_ago,
    days_ago,
    derived,
)

UNITS = {
    "creatinine": ("2160-0", "mg/dL"),
    "haemoglobin": ("718-7", "g/dL"),
    "albumin": ("1751-7", "g/dL"),
    "platelets": ("777-3", "10*3/uL"),
    "inr": ("6301-6", "{INR}"),
    "sodium": ("2951-2", "mmol/L"),
    "glucose": ("2345-7", "mg/dL"),
    "hba1c": ("4548-4", "%"),
    "height": ("8302-2", "cm"),
    "weight": ("29463-7", "kg"),
    "bmi": ("39156-5", "kg/m2"),
    "spo2": ("59408-5", "%"),
    "egfr": ("98979-8", "mL/min/{1.73_m2}"),
}


def one(name: str, value: float | None = None, unit: str | None = None, **members: Any) -> Feature:
    """The feature that a single Observation gives."""
    code, canonical = UNITS[name]
    return derived(an_observation(code, value, unit or canonical, **members))[name]


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
    found = one(name, recorded, unit)
    assert found.status == status
    assert found.value == pytest.approx(value, abs=5e-3)
    assert (found.recorded_value, found.recorded_unit) == (
        (recorded, unit) if status == "used-with-conversion" else (None, None)
    )


@pytest.mark.parametrize(
    ("name", "value", "unit", "reason"),
    [
        ("creatinine", 1.1, "g/dL", "unit-mismatch"),
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
    found = one(name, value, unit)
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
    found = one(name, None, valueQuantity={"value": value})
    assert (found.status, found.flags) == (status, ("unit-assumed",))
    assert found.value == pytest.approx(canonical, abs=1e-3)


@pytest.mark.parametrize(("name", "value"), [("haemoglobin", 30), ("creatinine", 20), ("weight", 80), ("spo2", 97)])
def test_a_number_without_unit_that_could_be_either_is_rejected(name: str, value: float) -> None:
    assert one(name, None, valueQuantity={"value": value}).reason == "unit-missing"


def test_an_inr_needs_no_unit() -> None:
    found = one("inr", None, valueQuantity={"value": 1.2})
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
    found = one("hba1c", None, valueString=text)
    status, value, reason = expected
    assert (found.status, found.reason) == (status, reason)
    assert found.value == (pytest.approx(value, abs=1e-3) if value else None)


@pytest.mark.parametrize(
    ("reason", "told"),
    [("masked", "masked"), ("not-performed", "not-done"), ("asked-declined", "declined"), ("error", "unknown")],
)
def test_no_value_is_missing_for_the_reason_given(reason: str, told: str) -> None:
    absent = coded(("http://terminology.hl7.org/CodeSystem/data-absent-reason", reason))
    found = one("haemoglobin", None, dataAbsentReason=absent)
    assert (found.status, found.reason) == ("missing", told)


@pytest.mark.parametrize(
    ("name", "days", "status"),
    [
        ("creatinine", 90, "used"),
        ("creatinine", 90.01, "stale"),
        ("glucose", 30, "used"),
        ("glucose", 31, "stale"),
        ("height", 1826, "used"),
        ("height", 1827, "stale"),
        ("weight", 180, "used"),
        ("weight", 181, "stale"),
        ("spo2", 30, "used"),
        ("spo2", 31, "stale"),
    ],
)
def test_a_result_counts_up_to_its_window_and_is_told_after_it(name: str, days: float, status: str) -> None:
    value = {"creatinine": 1.1, "glucose": 100, "height": 170, "weight": 80, "spo2": 97}[name]
    found = one(name, value, effectiveDateTime=days_ago(days))
    assert (found.status, found.value) == (status, value)
    assert found.model_value == (value if status == "used" else None)


@pytest.mark.parametrize(
    ("when", "status", "reason", "flags"),
    [
        ({"effectiveDateTime": days_ago(-0.9)}, "used", None, ("time-ahead",)),
        ({"effectiveDateTime": days_ago(-1.1)}, "rejected", "future", ()),
        ({"effectiveDateTime": date_ago(0)}, "used", None, ()),
        ({"effectiveDateTime": date_ago(90)}, "used", None, ()),
        ({"effectiveDateTime": date_ago(91)}, "stale", "stale", ()),
        ({"effectiveDateTime": "2026-10"}, "used", None, ()),
        ({"effectiveDateTime": "2026-11"}, "rejected", "date-imprecise", ()),
        ({"effectiveDateTime": "2026"}, "rejected", "date-imprecise", ()),
        ({"effectiveDateTime": "2025"}, "stale", "stale", ()),
        ({"effectiveDateTime": "last week"}, "rejected", "no-time", ()),
        ({"effectiveDateTime": None}, "rejected", "no-time", ()),
        ({"effectiveDateTime": None, "issued": days_ago(3)}, "used", None, ("issued-time",)),
        ({"effectiveDateTime": None, "effectiveInstant": days_ago(3)}, "used", None, ()),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": days_ago(3)}}, "used", None, ()),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": days_ago(3)}}, "used", None, ()),
        ({"effectiveDateTime": None, "effectiveTiming": {"event": [days_ago(99), days_ago(3)]}}, "used", None, ()),
    ],
)
def test_the_time_of_a_result_decides_whether_it_counts(
    when: dict[str, Any], status: str, reason: str | None, flags: tuple[str, ...]
) -> None:
    found = one("creatinine", 1.1, **when)
    assert (found.status, found.reason, found.flags) == (status, reason, flags)


def test_a_time_without_zone_is_the_tenants() -> None:
    found = one("creatinine", 1.1, effectiveDateTime="2026-11-20T09:30:00")  # 08:30 UTC, before the hook
    assert found.flags == ()


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
    found = one("creatinine", None, valueQuantity=a_quantity(value, comparator=comparator))
    assert (found.status, found.reason) == (status, reason)
    if status == "used":
        assert (found.value, found.comparator, found.flags) == (value, comparator, ("bound",))
        model_value = found.model_value
        assert isinstance(model_value, float)
        assert (model_value > 1.5) == (comparator == ">")


def test_a_bound_without_a_cut_point_to_lie_beyond_is_missing() -> None:
    found = one("albumin", None, valueQuantity=a_quantity(4, "g/dL", comparator=">"))
    assert (found.status, found.reason) == ("missing", "censored")


def test_a_bound_of_creatinine_gives_no_filtration_rate() -> None:
    found = derived(an_observation("2160-0", None, valueQuantity=a_quantity(0.5, comparator="<")))
    assert found["creatinine"].usable
    assert (found["egfr"].status, found["egfr"].reason) == ("missing", "censored")


def test_a_reported_rate_above_sixty_lies_beyond_every_stage() -> None:
    quantity = a_quantity(60, "mL/min/{1.73_m2}", comparator=">")
    found = one("egfr", None, valueQuantity=quantity)
    assert (found.status, found.value, found.comparator) == ("used", 60, ">")


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.8, 1.2, ("used", 1.0)), (1.4, 1.6, ("missing", None)), (1.6, 1.9, ("used", 1.75))]
)
def test_a_range_counts_by_its_middle_where_both_ends_lie_on_one_side(
    low: float, high: float, expected: tuple[str, float | None]
) -> None:
    found = one("creatinine", None, valueRange={"low": a_quantity(low), "high": a_quantity(high)})
    assert (found.status, found.value) == (expected[0], pytest.approx(expected[1]) if expected[1] else None)


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
    model_value = one(name, recorded, unit).model_value
    assert isinstance(model_value, float)
    assert (model_value > limit) is above


@pytest.mark.parametrize(("recorded", "whole"), [(95.5, 96), (95.4, 95), (90.5, 91), (90.4, 90), (97, 97)])
def test_a_saturation_is_compared_in_whole_per_cent(recorded: float, whole: float) -> None:
    found = one("spo2", recorded)
    assert (found.value, found.model_value) == (recorded, whole)


@pytest.mark.parametrize(
    ("code", "value", "unit", "status"),
    [("3151-8", 2, "L/min", "rejected"), ("3151-8", 0, "L/min", "used"), ("3150-0", 40, "%", "rejected"),
     ("3150-0", 21, "%", "used"), ("3150-0", 0.21, "1", "used")],
)  # fmt: skip
def test_a_saturation_with_added_oxygen_is_not_room_air(code: str, value: float, unit: str, status: str) -> None:
    component = {"code": coded((LOINC, code)), "valueQuantity": a_quantity(value, unit)}
    found = one("spo2", 97, component=[component])
    assert found.status == status


CR = "2160-0"


@pytest.mark.parametrize(
    ("case", "results", "value", "flags"),
    [
        ("the later day wins", [(1.0, {"effectiveDateTime": days_ago(5)}), (2.5, {"effectiveDateTime": days_ago(9)})],
         1.0, ()),
        ("a final result beats a newer preliminary one",
         [(1.0, {"effectiveDateTime": days_ago(5)}),
          (2.5, {"effectiveDateTime": days_ago(1), "status": "preliminary"})], 1.0, ("newer-preliminary",)),
        ("a preliminary result counts where there is no other", [(2.5, {"status": "preliminary"})], 2.5, ()),
        ("a correction replaces the result of the same time", [(1.0, {}), (2.5, {"status": "corrected"})], 2.5, ()),
        ("a correction does not replace a newer result",
         [(1.0, {"effectiveDateTime": days_ago(5)}),
          (2.5, {"effectiveDateTime": days_ago(9), "status": "corrected"})], 1.0, ()),
        ("of one time the later issued wins",
         [(1.0, {"issued": days_ago(9)}), (2.5, {"issued": days_ago(8)})], 2.5, ()),
        ("an exact duplicate counts once", [(1.0, {}), (1.0, {})], 1.0, ()),
        ("within half a per cent two results agree", [(200.0, {}), (200.5, {})], None, ()),
        ("a result entered in error is never used", [(2.5, {"status": "entered-in-error"}),
                                                     (1.0, {"effectiveDateTime": days_ago(80)})], 1.0, ()),
        ("one without a status is never used", [(2.5, {"status": None}),
                                                (1.0, {"effectiveDateTime": days_ago(80)})], 1.0, ()),
        ("what cannot be read never hides what can",
         [(None, {"valueString": "haemolysed"}), (1.0, {"effectiveDateTime": days_ago(80)})], 1.0, ()),
        ("a full date outranks a month",
         [(2.5, {"effectiveDateTime": "2026-10"}), (1.0, {"effectiveDateTime": "2026-09-15"})], 1.0, ()),
    ],
)  # fmt: skip
def test_of_several_results_one_wins(
    case: str, results: list[Any], value: float | None, flags: tuple[str, ...]
) -> None:
    code, unit = ("777-3", "10*3/uL") if value is None else (CR, "mg/dL")
    observations = [
        an_observation(code, number, unit, **{"id": f"o-{position}", **members})
        for position, (number, members) in enumerate(results)
    ]
    name = "platelets" if value is None else "creatinine"
    for order in (observations, observations[::-1]):
        found = derived(*order)[name]
        assert (found.status, found.flags) == ("used", flags), case
        assert found.value == (200.0 if value is None else value), case


def test_two_results_of_one_time_that_differ_conflict() -> None:
    found = derived(an_observation(value=1.0, id="a"), an_observation(value=2.5, id="b"))["creatinine"]
    assert (found.status, found.reason, found.value) == ("conflicting", "values-differ", None)


def test_the_laboratory_beats_the_bedside_of_the_same_day_and_not_of_a_later_one() -> None:
    laboratory = an_observation("718-7", 12.0, "g/dL", effectiveDateTime="2026-11-17T07:00:00Z")
    same_day = an_observation("30350-3", 9.0, "g/dL", effectiveDateTime="2026-11-17T12:00:00Z")
    next_day = an_observation("30350-3", 9.0, "g/dL", effectiveDateTime="2026-11-18T12:00:00Z")
    assert derived(laboratory, same_day)["haemoglobin"].value == 12.0
    assert derived(laboratory, next_day)["haemoglobin"].value == 9.0


def test_one_resource_coded_as_two_concepts_is_believed_for_neither() -> None:
    both = an_observation(coded((LOINC, "2160-0"), (LOINC, "718-7")), 1.1)
    found = derived(both)
    assert {found[name].reason for name in ("creatinine", "haemoglobin")} == {"two-concepts"}
    assert {found[name].status for name in ("creatinine", "haemoglobin")} == {"conflicting"}


def test_several_codings_of_one_concept_are_fine_in_any_order() -> None:
    codings = (("urn:oid:1.2.3", "HGB"), (LOINC, "718-7"), ("http://loinc.org/", "59260-0"))
    for order in (codings, codings[::-1]):
        assert derived(an_observation(coded(*order), 12.0, "g/dL"))["haemoglobin"].value == 12.0


def test_the_unit_code_wins_over_its_text_unless_the_number_says_otherwise() -> None:
    agree = {"value": 12, "unit": "g/L", "system": UCUM, "code": "g/dL"}
    contradict = agree | {"value": 120}
    assert one("haemoglobin", None, valueQuantity=agree).flags == ("unit-text-differs",)
    assert one("haemoglobin", None, valueQuantity=contradict).reason == "unit-conflict"


def test_a_component_counts_and_wins_over_the_same_result_beside_the_panel() -> None:
    component = {"code": coded((LOINC, "2951-2")), "valueQuantity": a_quantity(140, "mmol/L")}
    panel = an_observation("24323-8", None, component=[component], id="panel")
    beside = an_observation("2951-2", 120, "mmol/L", id="beside")
    assert derived(panel)["sodium"].value == 140
    assert derived(beside, panel)["sodium"].source == "Observation/panel"


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


@given(st.floats(0.31, 14.9), st.sampled_from(["mg/dL", "umol/L"]))
def test_a_unit_never_moves_a_creatinine_across_a_cut_point(number: float, unit: str) -> None:
    recorded = round(number * (88.42 if unit == "umol/L" else 1), 1)
    found = one("creatinine", recorded, unit)
    published = {"mg/dL": (1.5, 2.0), "umol/L": (133.0, 176.8)}[unit]
    assert isinstance(found.model_value, float)
    assert [found.model_value > limit for limit in (1.5, 2.0)] == [recorded > limit for limit in published]


def test_the_hook_has_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        derived(as_of=AS_OF.replace(tzinfo=None))
