"""What an added model says: a figure with its parts, a range over what is not known, or why there is none."""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_onnx import added_card, added_contributions
from models_onnx.added_graph import AddedGraph, row
from models_onnx.added_model import AddedAnswer, AddedModel, AddedModels
from models_onnx.inexact_inputs import Within
from models_onnx.open_inputs import NOTHING_OPEN, Open
from tests.models_onnx.added import graphs

Card = added_card.AddedCard


def model(tmp_path: Path, content: bytes | None = None, **members: Any) -> AddedModel:
    folder = graphs.folder(tmp_path / f"new{time.monotonic_ns()}", content, **members)
    card = added_card.read_card(folder)
    return AddedModel(card, AddedGraph((folder / "model.onnx").read_bytes(), card), "0" * 64)


def figure(told: AddedAnswer) -> float:
    assert told.score.probability is not None, told
    return told.score.probability


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize("content", [graphs.logistic(), graphs.crossed()], ids=["a table", "inputs by name"])
def test_the_figure_is_the_graphs(tmp_path: Path, content: bytes) -> None:
    added = model(tmp_path, content, contributions={"method": "none"})
    for person in (graphs.one(), graphs.one(age=90, haemoglobin=7.5, heart_failure=True)):
        assert figure(added.answer(person)) == pytest.approx(graphs.answers(content, [person])[0], abs=1e-6)


def test_strings_whole_numbers_and_booleans_are_given_as_the_graph_declares_them(tmp_path: Path) -> None:
    from onnx import TensorProto

    kinds = {"sex": TensorProto.STRING, "asa_class": TensorProto.INT64, "heart_failure": TensorProto.BOOL}
    nodes = [
        graphs.node("LabelEncoder", ["sex"], ["s"], domain="ai.onnx.ml", keys_strings=["female", "male"],
                    values_floats=[0.1, 0.5]),
        graphs.node("Cast", ["asa_class"], ["a"], to=TensorProto.FLOAT),
        graphs.node("Cast", ["heart_failure"], ["h"], to=TensorProto.FLOAT),
        graphs.node("Sum", ["s", "a", "h"], ["z"]),
        graphs.node("Sigmoid", ["z"], ["p"]),
    ]  # fmt: skip
    content = graphs.graph(
        nodes, inputs=[graphs.port(name, graphs.FREE, 1, elements=kind) for name, kind in kinds.items()]
    )
    inputs = [
        {"name": "sex", "kind": "category", "categories": ["male", "female"]},
        {"name": "asa_class", "kind": "number", "low": 1, "high": 5},
        {"name": "heart_failure", "kind": "yes-no"},
    ]
    person = {"sex": "male", "asa_class": 2.0, "heart_failure": True}
    expected = 1 / (1 + math.exp(-(0.5 + 2 + 1)))
    added = model(
        tmp_path,
        content,
        inputs=inputs,
        contributions={"method": "none"},
        examples=[{"inputs": person, "probability": expected}],
    )
    assert figure(added.answer(person)) == pytest.approx(expected, abs=1e-6)


def test_a_missing_input_is_every_value_that_the_card_names_and_never_one_of_them(tmp_path: Path) -> None:
    added = model(tmp_path, graphs.crossed(), contributions={"method": "none"})
    told = added.answer(graphs.one() | {"haemoglobin": None, "heart_failure": None})
    every = [
        figure(added.answer(graphs.one(haemoglobin=float(value), heart_failure=failing)))
        for value in (8, 9, 10, 11, 12, 13, 14, 15)
        for failing in (False, True)
    ]
    assert (told.score.status, told.score.probability, told.score.contributions) == ("range", None, ())
    assert told.score.missing_range is not None
    assert (told.score.missing_range.low, told.score.missing_range.high) == (min(every), max(every))
    assert told.score.depends_on == ("heart_failure", "haemoglobin")
    assert told.unknown is not None
    assert told.unknown.range == told.score.missing_range


def test_a_number_known_within_limits_is_a_range_over_them(tmp_path: Path) -> None:
    added = model(tmp_path, graphs.logistic(), contributions={"method": "none"})

    def between(low: float, high: float, *, censored: bool) -> AddedAnswer:
        limits = {"haemoglobin": Within(low, high, censored)}
        return added.answer(graphs.one(haemoglobin=(low + min(high, 20)) / 2), limits)

    ends = [figure(added.answer(graphs.one(haemoglobin=one))) for one in (12.0, 14.0)]
    span = between(12.0, 14.0, censored=False).score.missing_range
    assert span is not None
    assert (span.low, span.high) == (min(ends), max(ends))
    assert between(16.0, math.inf, censored=True).score.status == "range"  # to 18, for which it was made
    assert between(17.0, 19.0, censored=False).score.reason == "haemoglobin-out-of-scope"
    assert between(19.0, math.inf, censored=True).score.reason == "haemoglobin-out-of-scope"


def test_lists_that_were_not_understood_open_as_many_inputs_as_they_can(tmp_path: Path) -> None:
    inputs = [{"name": name, "kind": "yes-no"} for name in ("copd", "cancer", "dementia", "diabetes")]
    nobody = dict.fromkeys(("copd", "cancer", "dementia", "diabetes"), False)
    background = {"method": "shapley", "background": [nobody], "background_words": "nobody"}
    content = graphs.graph(
        [graphs.node("Gemm", ["X", "w", "b"], ["z"]), graphs.node("Sigmoid", ["z"], ["p"])],
        [graphs.constant("w", [[1.0], [1.0], [1.0], [1.0]]), graphs.constant("b", [-3.0])],
    )
    example = {"inputs": nobody, "probability": 1 / (1 + math.exp(3))}
    added = model(tmp_path, content, inputs=inputs, contributions=background, examples=[example])
    names = ("copd", "cancer", "dementia")
    opened = Open(dict.fromkeys(names, (False, True)), frozenset(names), 1)
    span = added.answer({**dict.fromkeys(names), "diabetes": False}, opened=opened).score.missing_range
    assert span is not None
    assert [round(logit(end), 4) for end in (span.low, span.high)] == [-3.0, -2.0]
    two = Open(dict.fromkeys(names, (False, True)), frozenset(names), 2)
    span = added.answer({**dict.fromkeys(names), "diabetes": False}, opened=two).score.missing_range
    assert span is not None
    assert round(logit(span.high), 4) == -1.0


def test_whom_the_model_was_not_made_for_gets_no_figure(tmp_path: Path) -> None:
    added = model(tmp_path, graphs.logistic(), operations=["hip-arthroplasty"])
    person = graphs.one(procedure_group="hip-arthroplasty")
    assert added.answer(person).score.status == "computed"
    for values, reason in (
        (person | {"procedure_group": "spine-fusion"}, "operation-out-of-scope"),
        (person | {"procedure_group": None}, "operation-out-of-scope"),
        (person | {"age": 101.0}, "age-out-of-scope"),
        (person | {"haemoglobin": 5.9}, "haemoglobin-out-of-scope"),
    ):
        told = added.answer(values).score
        assert (told.status, told.reason, told.probability) == ("out-of-scope", reason, None)


def test_too_much_missing_and_a_required_input_that_is_missing_are_told(tmp_path: Path) -> None:
    many = [{"name": f"x{k}", "kind": "yes-no"} for k in range(13)]
    content = graphs.graph(
        [graphs.node("ReduceMean", ["X"], ["p"], axes=[1], keepdims=1)], inputs=[graphs.port("X", graphs.FREE, 13)]
    )
    example = {"inputs": {f"x{k}": False for k in range(13)}, "probability": 0.0}
    added = model(tmp_path, content, inputs=many, contributions={"method": "none"}, examples=[example])
    told = added.answer({}).score
    assert (told.status, told.reason, len(told.needs)) == ("not-computable", "too-many-inputs-missing", 13)
    assert added.answer({"x0": True}).score.status == "range"

    required = [{"name": "age", "kind": "number", "low": 18, "high": 100, "unit": "years", "required": True}]
    only = graphs.graph(
        [graphs.node("Mul", ["age", "k"], ["p"])],
        [graphs.constant("k", [0.001])],
        inputs=[graphs.port("age", graphs.FREE, 1)],
    )
    example = {"inputs": {"age": 60}, "probability": 0.06}
    told = model(tmp_path, only, inputs=required, contributions={"method": "none"}, examples=[example]).answer({}).score
    assert (told.status, told.reason, told.needs) == ("not-computable", "required-input-missing", ("age",))


def test_a_graph_that_fails_or_is_late_takes_no_other_figure_with_it(tmp_path: Path) -> None:
    added = model(tmp_path, graphs.logistic())
    late = AddedModels({"bleeding": added}, "x").answers(("*",), graphs.one(), {}, NOTHING_OPEN, until=0.0)
    assert [(one.score.status, one.score.reason) for one in late] == [("not-computable", "model-too-slow")]
    shifted = [
        graphs.node("Constant", [], ["c"], value=graphs.constant("c", [0.5])),
        graphs.node("Add", ["s", "c"], ["p"]),
    ]
    wrong = model(tmp_path, graphs.logistic(after=shifted), **graphs.NOT_ASKED)
    told = wrong.answer(graphs.one(age=99.0, haemoglobin=6.0)).score
    assert (told.status, told.reason, told.probability) == ("not-computable", "model-failed", None)


def test_a_model_that_was_removed_says_so() -> None:
    told = AddedModels().answers(("gone", "*"), graphs.one(), {}, NOTHING_OPEN)
    assert [(one.card, one.score.model, one.score.reason) for one in told] == [(None, "gone", "withdrawn")]


def explained(method: str, *background: dict[str, Any], evaluations: int = 2_048) -> dict[str, Any]:
    told = {"method": method, "background": list(background), "background_words": "people"}
    return {"contributions": told | {"evaluations": evaluations}}


PERSON = graphs.one(age=85.0, asa_class=4.0, haemoglobin=8.0, heart_failure=True)
OTHERS = (graphs.one(), graphs.one(age=40.0, haemoglobin=15.0), graphs.one(asa_class=4.0, heart_failure=True))


def parts(told: AddedAnswer) -> dict[str, float]:
    return {one.input: one.log_odds for one in told.score.contributions}


def test_parts_of_an_additive_graph_are_its_terms(tmp_path: Path) -> None:
    told = model(tmp_path, graphs.logistic(), **explained("additive", graphs.one())).answer(PERSON)
    assert parts(told) == pytest.approx(
        {"age": 0.02 * 25, "asa_class": 0.5 * 2, "haemoglobin": -0.45 * -5, "heart_failure": 0.4}, abs=1e-3
    )
    assert told.score.reference_logit is not None
    assert told.score.logit is not None
    assert sum(parts(told).values()) + told.score.reference_logit == pytest.approx(told.score.logit, abs=1e-3)


def test_occlusion_is_what_changes_when_one_input_alone_is_put_back(tmp_path: Path) -> None:
    added = model(tmp_path, graphs.crossed(), **explained("occlusion", graphs.one()))
    told = added.answer(PERSON)
    for name, part in parts(told).items():
        back = added.answer(PERSON | {name: graphs.one()[name]})
        assert part == pytest.approx(logit(figure(told)) - logit(figure(back)), abs=1e-4)
    assert told.score.reference_logit is None


def by_definition(added: AddedModel) -> dict[str, float]:
    """Shapley values from every order, one step at a time."""
    found = dict.fromkeys(graphs.NAMES, 0.0)
    orders = list(itertools.permutations(graphs.NAMES))
    for order, start in itertools.product(orders, OTHERS):
        now = dict(start)
        for name in order:
            before = logit(figure(added.answer(now)))
            now[name] = PERSON[name]
            found[name] += (logit(figure(added.answer(now))) - before) / len(orders) / len(OTHERS)
    return found


def test_shapley_values_are_the_mean_over_all_orders_and_people(tmp_path: Path) -> None:
    silent = model(tmp_path, graphs.crossed(), contributions={"method": "none"})
    told = model(tmp_path, graphs.crossed(), **explained("shapley", *OTHERS)).answer(PERSON)
    assert not told.sampled
    assert parts(told) == pytest.approx(by_definition(silent), abs=1e-4)
    means = [logit(figure(silent.answer(one))) for one in OTHERS]
    assert told.score.reference_logit == pytest.approx(np.mean(means), abs=1e-4)


def test_sampled_shapley_values_add_up_are_near_and_are_the_same_again(tmp_path: Path) -> None:
    exact = model(tmp_path, graphs.crossed(), **explained("shapley", *OTHERS)).answer(PERSON)
    people = [graphs.one(age=20.0 + 4 * k, asa_class=1.0, haemoglobin=14.0) for k in range(8)]
    added = model(tmp_path, graphs.crossed(), **explained("shapley", *people, evaluations=100))
    told = [added.answer(PERSON), added.answer(PERSON)]
    assert told[0].sampled
    assert told[0] == told[1]
    whole = logit(figure(told[0]))
    assert sum(parts(told[0]).values()) + (told[0].score.reference_logit or 0) == pytest.approx(whole, abs=1e-4)
    assert parts(exact).keys() == parts(told[0]).keys()


@pytest.mark.parametrize(("evaluations", "people"), [(64, 1), (64, 3), (100, 8), (2_048, 40)])
def test_no_answer_asks_more_rows_than_the_card_allows(tmp_path: Path, evaluations: int, people: int) -> None:
    background = [graphs.one(age=20.0 + k, asa_class=1.0, haemoglobin=14.0) for k in range(people)]
    card = model(tmp_path, graphs.crossed(), **explained("shapley", *background, evaluations=evaluations)).card
    asked: list[int] = []

    def ask(rows: Any) -> Any:
        asked.append(len(rows))
        return np.full(len(rows), 0.1)

    added_contributions.parts(card, np.array(row(card, PERSON)), ask)
    assert asked == [sum(asked)]
    assert asked[0] <= evaluations or evaluations < added_contributions.fewest_evaluations(card)
