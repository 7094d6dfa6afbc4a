"""What missing inputs could do, held against putting every combination of values in."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_onnx.missing_ranges import missing_ranges
from models_onnx.registry import Registry, load
from tests.models_onnx.people import Values, a_person

SHARED = load(class_b=True)


def by_trying(registry: Registry, model: str, values: Values, missing: list[str]) -> list[float]:
    kinds = {entry.name: entry for entry in registry.inputs}
    choices = []
    for name in missing:
        entry = kinds[name]
        choices.append(entry.categories or ((False, True) if entry.kind == "yes-no" else registry.plausible[name]))
    found = []
    for combination in product(*choices):
        score = next(
            s for s in registry.score({**values, **dict(zip(missing, combination, strict=True))}) if s.model == model
        )
        found.append(score.probability or 0)
    return found


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        ("sort-2014", ["asa_class"]),
        ("sort-2014", ["asa_class", "cancer"]),
        ("gupta-mica", ["asa_class", "functional_status", "creatinine"]),
        ("elective-complication", ["asa_class", "bmi"]),
        ("elective-death", ["sex", "asa_class", "bmi"]),
    ],
)
def test_the_range_is_that_of_every_combination(registry: Registry, model: str, missing: list[str]) -> None:
    values = a_person(**dict.fromkeys(missing))
    told = next(entry for entry in missing_ranges(registry, values) if entry.model == model)
    tried = by_trying(registry, model, values, missing)
    assert told.range.low == pytest.approx(min(tried), abs=1e-12)
    assert told.range.high == pytest.approx(max(tried), abs=1e-12)
    assert {entry.input for entry in told.unknown} == set(missing)


def test_the_missing_input_with_the_largest_effect_comes_first(registry: Registry) -> None:
    values = a_person(asa_class=None, bmi=None)
    told = {entry.model: entry for entry in missing_ranges(registry, values, thresholds={"any-complication": (0.27,)})}
    unknown = told["elective-complication"].unknown
    assert [(entry.input, entry.crosses) for entry in unknown] == [("asa_class", True), ("bmi", False)]


PROBABILITIES = [card.name for card in load(class_b=True).cards if card.kind == "probability"]
MAY_LACK = ["asa_class", "bmi", "sex", "urgency", "cancer", "functional_status", "creatinine", "sepsis", "copd"]


@settings(deadline=None, max_examples=40)
@given(
    missing=st.lists(st.sampled_from(MAY_LACK), min_size=1, max_size=3, unique=True),
    age=st.integers(18, 100),
    bmi=st.floats(10, 80),
    group=st.sampled_from(["spine-fusion", "spine-decompression", "colorectal-resection", "knee-arthroplasty"]),
)
def test_looked_up_ranges_are_those_of_every_combination_for_anybody(
    missing: list[str], age: int, bmi: float, group: str
) -> None:
    registry = SHARED
    known = a_person(age=age, bmi=bmi, procedure_group=group, diabetes_treatment="none")
    values = {**known, **dict.fromkeys(missing)}
    told = {entry.model: entry for entry in missing_ranges(registry, values)}
    lacking = {card.name: [n for n in missing if n in {e.name for e in card.inputs}] for card in registry.cards}
    answers = {score.model for score in registry.score(known) if score.status == "computed"}
    assert told.keys() == {name for name in PROBABILITIES if lacking[name] and name in answers}
    for name, entry in told.items():
        tried = by_trying(registry, name, values, lacking[name])
        assert (entry.range.low, entry.range.high) == pytest.approx((min(tried), max(tried)), abs=1e-12)


@pytest.mark.parametrize("missing", [["asa_class", "bmi"], ["sex", "bmi"], ["asa_class", "sex", "bmi"]])
def test_an_input_alone_moves_what_is_told_while_the_others_stay_missing(
    registry: Registry, missing: list[str]
) -> None:
    values = a_person(**dict.fromkeys(missing))
    told = next(entry for entry in missing_ranges(registry, values) if entry.model == "elective-complication")
    for unknown in told.unknown:
        tried = by_trying(registry, "elective-complication", values, [unknown.input])
        assert (unknown.low, unknown.high) == pytest.approx((min(tried), max(tried)), abs=1e-12)


@pytest.mark.parametrize(
    "changes", [{}, {"age": None, "asa_class": None}, {"procedure_group": None, "asa_class": None}]
)
def test_nothing_missing_or_no_age_or_no_operation_gives_no_range(registry: Registry, changes: Values) -> None:
    assert missing_ranges(registry, a_person(diabetes_treatment="none", **changes)) == ()


def test_a_model_that_does_not_hold_for_the_operation_has_no_range(registry: Registry) -> None:
    told = missing_ranges(registry, a_person(procedure_group="craniotomy", asa_class=None))
    assert "sort-2014" not in {entry.model for entry in told}
