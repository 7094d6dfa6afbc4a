"""A number known only within limits never decides a step of a model, and moves a curve only as far as it could."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_onnx import inexact_inputs
from models_onnx.inexact_inputs import Within
from models_onnx.missing_ranges import missing_ranges
from models_onnx.model_card import ModelError, read_card
from models_onnx.registry import Registry
from models_onnx.score import Range, Score
from tests.models_onnx.people import Values, a_person

CENSORED_ABOVE_40 = {"bmi": Within(math.nextafter(40, math.inf), math.inf, censored=True)}


def ages(low: float, high: float) -> dict[str, Within]:
    return {"age": Within(low, high, censored=False)}


def by_model(registry: Registry, values: Values, limits: dict[str, Within]) -> dict[str, Score]:
    return {score.model: score for score in registry.score(values, limits)}


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [(63, 64, "computed"), (64, 65, "not-computable"), (65, 66, "computed"), (79, 80, "not-computable")],
)
def test_a_step_between_the_possible_ages_makes_a_model_not_computable(
    registry: Registry, low: float, high: float, status: str
) -> None:
    found = by_model(registry, a_person(age=high), ages(low, high))["sort-2014"]
    assert found.status == status
    if status == "not-computable":
        assert (found.reason, found.needs, found.probability) == ("input-not-exact", ("age",), None)


@pytest.mark.parametrize("model", ["elective-death", "elective-complication", "gupta-mica"])
def test_a_model_that_uses_age_continuously_answers_and_its_range_covers_both_ages(
    registry: Registry, model: str
) -> None:
    limits = ages(64, 65)
    found = by_model(registry, a_person(age=65), limits)[model]
    (range_,) = [one.range for one in inexact_inputs.ranges(registry, a_person(age=65), limits) if one.model == model]
    ends = [by_model(registry, a_person(age=age), {})[model].probability for age in (64, 65)]
    assert found.probability == ends[1]
    assert (range_.low, range_.high) == (ends[0], ends[1])


def test_what_a_step_could_make_of_it_is_told_as_a_range(registry: Registry) -> None:
    found = {one.model: one for one in inexact_inputs.ranges(registry, a_person(age=65), ages(64, 65))}["sort-2014"]
    ends = [by_model(registry, a_person(age=age), {})["sort-2014"].probability for age in (64, 65)]
    assert [found.range.low, found.range.high] == ends
    assert found.unknown == ()


def test_one_possible_age_outside_the_population_is_out_of_scope(registry: Registry) -> None:
    found = by_model(registry, a_person(age=18), ages(17, 18))
    assert {score.status for score in found.values()} == {"out-of-scope"}
    assert {score.status for score in by_model(registry, a_person(age=18), ages(18, 19)).values()} != {"out-of-scope"}


def test_a_censored_number_is_missing_where_it_is_used_continuously(registry: Registry) -> None:
    bound = by_model(registry, a_person(bmi=40.0), CENSORED_ABOVE_40)
    absent = by_model(registry, a_person(bmi=None), {})
    for model in ("elective-death", "elective-complication"):
        assert bound[model] == absent[model]


@pytest.mark.parametrize(
    ("low", "high", "same_as"),
    [(math.nextafter(2.0, math.inf), math.inf, 3.0), (-math.inf, 1.5, 1.0), (0.8, 1.2, 1.0), (1.4, 1.6, None)],
)
def test_a_censored_number_is_used_where_all_of_it_lies_on_one_side_of_every_cut_point(
    registry: Registry, low: float, high: float, same_as: float | None
) -> None:
    limits = {"creatinine": Within(low, high, censored=True)}
    given = a_person(creatinine=high if math.isinf(low) else low)
    found, exact = by_model(registry, given, limits), by_model(registry, a_person(creatinine=same_as), {})
    assert found["gupta-mica"].probability == exact["gupta-mica"].probability
    # 1.4 to 1.6 straddles Gupta's 1.5, which has a term for "unknown", and not the index's 2.0, which answers.
    assert found["rcri"].points == (1.0 if same_as == 3.0 else 0.0)


def test_a_required_number_that_straddles_a_cut_point_leaves_nothing_to_compute(registry: Registry) -> None:
    limits = {"creatinine": Within(1.8, 2.2, censored=True)}
    found = by_model(registry, a_person(creatinine=2.0), limits)["rcri"]
    assert (found.status, found.reason, found.needs) == ("not-computable", "input-not-exact", ("creatinine",))


def test_what_a_refused_number_could_do_is_told_as_if_it_were_missing(registry: Registry) -> None:
    bound = {one.model: one for one in inexact_inputs.ranges(registry, a_person(bmi=40.0), CENSORED_ABOVE_40)}
    absent = {one.model: one for one in inexact_inputs.ranges(registry, a_person(bmi=None), {})}
    assert bound["elective-death"] == absent["elective-death"]
    assert "rcri" not in bound


@settings(max_examples=60, deadline=None)
@given(youngest=st.integers(18, 110), wanting=st.sets(st.sampled_from(["asa_class", "bmi", "sex", "creatinine"])))
def test_every_possible_age_lies_within_what_is_told(registry: Registry, youngest: int, wanting: set[str]) -> None:
    person = a_person(age=youngest, **dict.fromkeys(wanting))
    told = {one.model: one.range for one in inexact_inputs.ranges(registry, person, ages(youngest, youngest + 1))}
    for age in (youngest, youngest + 1):
        lacking = {one.model: one.range for one in missing_ranges(registry, {**person, "age": age})}
        for score in registry.score({**person, "age": age}):
            one = lacking.get(score.model) or Range(score.probability or math.nan, score.probability or math.nan)
            whole = told.get(score.model)
            assert whole is None or not (one.low < whole.low or one.high > whole.high)


def test_every_number_declares_how_its_model_uses_it(registry: Registry) -> None:
    used = {
        (card.name, one.name): one.continuous for card in registry.cards for one in card.inputs if one.kind == "number"
    }
    assert used["sort-2014", "age"] is False
    assert used["elective-death", "age"] is True
    assert used["elective-death", "bmi"] is True
    assert used["gupta-mica", "creatinine"] is False


def test_a_card_that_does_not_say_is_refused(registry: Registry, tmp_path) -> None:  # type: ignore[no-untyped-def]
    card = registry.card("sort-2014")
    silent = [msgspec.structs.replace(one, cut_points=()) for one in card.inputs]
    path = tmp_path / "sort-2014" / "1.0.0" / "card.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.yaml.encode(msgspec.structs.replace(card, inputs=tuple(silent))))
    with pytest.raises(ModelError, match="sort-2014: input asa_class has to be either continuous or have cut_points"):
        read_card(path)
