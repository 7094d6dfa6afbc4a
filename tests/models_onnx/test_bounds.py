"""What missing inputs could do, held against putting every combination of values in."""

from __future__ import annotations

from itertools import product

import pytest

from models_onnx.bounds import missing_ranges
from models_onnx.registry import Registry
from tests.models_onnx.people import Values, a_person


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


@pytest.mark.parametrize(
    "changes", [{}, {"age": None, "asa_class": None}, {"procedure_group": None, "asa_class": None}]
)
def test_nothing_missing_or_no_age_or_no_operation_gives_no_range(registry: Registry, changes: Values) -> None:
    assert missing_ranges(registry, a_person(diabetes_treatment="none", **changes)) == ()


def test_a_model_that_does_not_hold_for_the_operation_has_no_range(registry: Registry) -> None:
    told = missing_ranges(registry, a_person(procedure_group="craniotomy", asa_class=None))
    assert "sort-2014" not in {entry.model for entry in told}
