"""A range over open inputs is exact: no combination of their values leaves it, and some reach both ends (DEC-38)."""

from __future__ import annotations

from itertools import product

import pytest

from models_onnx import inexact_inputs
from models_onnx.inexact_inputs import Within
from models_onnx.open_inputs import Open
from models_onnx.registry import Registry
from models_onnx.score import InputValue, Score
from tests.models_onnx.people import a_person

EITHER: tuple[InputValue, ...] = (False, True)
# Lists that were not all understood: what each model reads of them.
OPEN: dict[str, dict[str, tuple[InputValue, ...]]] = {
    "sort-2014": {"cancer": EITHER},
    "rcri": dict.fromkeys(("ischaemic_heart_disease", "heart_failure", "cerebrovascular_disease", "insulin"), EITHER),
    "mfi-5": dict.fromkeys(("diabetes", "hypertension_on_medication", "copd", "heart_failure"), EITHER),
    "gscri": {
        "diabetes_treatment": ("none", "without-insulin", "insulin"),
        "heart_failure": EITHER,
        "cerebrovascular_disease": EITHER,
    },
    "gupta-respiratory-failure": {"sepsis": ("none", "sirs", "sepsis", "septic-shock")},
    "gupta-pneumonia": {"copd": EITHER, "sepsis": ("none", "sepsis")},
    "charlson-quan": {
        "charlson_heart_failure": EITHER,
        "charlson_hiv": EITHER,
        "charlson_liver_disease": ("none", "mild", "moderate-or-severe"),
        "charlson_malignancy": ("malignancy", "metastatic"),
    },
}


ABSENT = dict.fromkeys(
    ("dementia", "pulmonary_disease", "rheumatic_disease", "complicated_diabetes", "paralysis", "kidney_disease"), False
)
NO_OTHERS = {f"charlson_{name}": value for name, value in ABSENT.items()}


def of(registry: Registry, model: str, values: dict[str, InputValue | None], opened: Open | None = None) -> Score:
    scores = registry.score(values, None, opened) if opened else registry.score(values)
    return next(one for one in scores if one.model == model)


def number(score: Score) -> float:
    found = score.probability if score.points is None else score.points
    assert found is not None
    return found


def ends(score: Score) -> tuple[float, float]:
    found = score.points_range or score.missing_range
    if found is None:
        return number(score), number(score)
    return found.low, found.high


@pytest.mark.parametrize("at_most", [0, 1, 2, 9])
@pytest.mark.parametrize("model", OPEN)
def test_the_range_is_what_all_combinations_span(registry: Registry, model: str, at_most: int) -> None:
    possible = OPEN[model]
    opened = Open(possible, frozenset(possible), at_most)
    allowed = [
        dict(zip(possible, chosen, strict=True))
        for chosen in product(*possible.values())
        if sum(one != first[0] for one, first in zip(chosen, possible.values(), strict=True)) <= at_most
    ]
    spanned = [number(of(registry, model, a_person(**NO_OTHERS, **chosen))) for chosen in allowed]
    told = of(registry, model, a_person(**NO_OTHERS, **dict.fromkeys(possible)), opened)
    assert ends(told) == pytest.approx((min(spanned), max(spanned)), abs=1e-9)
    assert told.status == ("range" if max(spanned) > min(spanned) else told.status)


def test_a_range_tells_no_single_number_and_only_what_is_known_pulls(registry: Registry) -> None:
    told = of(registry, "sort-2014", a_person(cancer=None), Open({"cancer": EITHER}))
    assert (told.status, told.probability, told.logit, told.low, told.high) == ("range", None, None, None, None)
    assert "cancer" not in {one.input for one in told.contributions}
    points = of(registry, "rcri", a_person(insulin=None), Open({"insulin": EITHER}))
    assert (points.points, points.published_rates) == (None, ())
    assert points.points_range is not None
    assert points.points_range.rates_low != points.points_range.rates_high


def test_a_model_that_reads_nothing_of_it_keeps_its_number(registry: Registry) -> None:
    opened = Open({"cancer": EITHER})
    assert of(registry, "elective-death", a_person(cancer=None), opened) == of(registry, "elective-death", a_person())


def test_a_list_that_was_not_seen_sets_no_limit(registry: Registry) -> None:
    """Inputs that are not counted are free: of a list that failed anything may be true."""
    names = tuple(OPEN["rcri"])
    free = Open(OPEN["rcri"], frozenset(names[:1]), 0)
    assert ends(of(registry, "rcri", a_person(**dict.fromkeys(names)), free)) == (
        number(of(registry, "rcri", a_person(**dict.fromkeys(names, False)))),
        number(of(registry, "rcri", a_person(**{names[0]: False}, **dict.fromkeys(names[1:], True)))),
    )


def test_what_is_missing_and_what_is_open_widen_one_range(registry: Registry) -> None:
    opened = Open({"cancer": EITHER})
    person = a_person(cancer=None, asa_class=None)
    told = next(one for one in inexact_inputs.ranges(registry, person, {}, opened=opened) if one.model == "sort-2014")
    every = [
        number(of(registry, "sort-2014", a_person(cancer=cancer, asa_class=float(asa))))
        for cancer in (False, True)
        for asa in range(1, 5)
    ]
    assert (told.range.low, told.range.high) == pytest.approx((min(every), max(every)))
    assert {one.input for one in told.unknown} == {"asa_class", "cancer"}
    assert of(registry, "sort-2014", person, opened).needs == ("asa_class",)


def test_an_age_of_two_possible_years_and_an_open_input_span_all_four(registry: Registry) -> None:
    opened = Open({"cancer": EITHER})
    limits = {"age": Within(70.0, 71.0, censored=False)}
    found = {
        one.model: one.range for one in inexact_inputs.ranges(registry, a_person(cancer=None), limits, opened=opened)
    }
    every = [
        number(of(registry, "sort-2014", a_person(age=age, cancer=cancer)))
        for age in (70.0, 71.0)
        for cancer in (False, True)
    ]
    assert (found["sort-2014"].low, found["sort-2014"].high) == pytest.approx((min(every), max(every)))
