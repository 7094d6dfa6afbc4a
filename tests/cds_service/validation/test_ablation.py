"""A withheld input is withheld from the model in force, and only where the record gives its figure back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest

from cds_service.records.answered_calls import InputTold
from cds_service.validation import ablation
from cds_service.validation.collected import ValidatedOperation
from cds_service.validation.outcome_figures import ScoredCase
from models_onnx import registry
from models_onnx.registry import Registry

OUTCOME, MODEL = "any-complication", "elective-complication"


@pytest.fixture(scope="module")
def models() -> Registry:
    return registry.load()


def an_operation(number: int, values: dict[str, float | str]) -> ValidatedOperation:
    return ValidatedOperation(
        evaluation_id=f"{number}",
        asked_at=datetime(2026, 1, 5, tzinfo=UTC),
        day=date(2026, 1, 5),
        procedure_group="spine-fusion",
        calls=1,
        band=None,
        indicator=None,
        reason=None,
        inputs={name: InputTold(name, "used", value) for name, value in values.items()},
        predictions=(),
        entries_missed={},
        speech=None,
        followed={},
        cohorts={},
    )


@pytest.fixture(scope="module")
def cases(models: Registry) -> list[ScoredCase]:
    """People whose complications go with their ASA class, and a few of whom the class is not known."""
    random = np.random.default_rng(5)
    found = []
    for number in range(400):
        asa = float(random.integers(1, 5))
        values: dict[str, float | str] = {"age": float(random.integers(30, 85)), "sex": "female"}
        values |= {"procedure_group": "spine-fusion", "urgency": "elective"}
        values |= {"asa_class": asa} if number % 8 else {}
        (score,) = (one for one in models.score(dict(values)) if one.model == MODEL)
        assert score.probability is not None
        happened = bool(random.random() < 0.12 * asa)
        p = score.probability
        found.append(ScoredCase(an_operation(number, values), MODEL, score.sha256, p, p, None, happened))
    return found


def test_what_is_withheld_is_missed(models: Registry, cases: list[ScoredCase]) -> None:
    (told,) = ablation.ablations({OUTCOME: cases}, models)
    by = {row.input: row for row in told.rows}
    assert (told.model, told.n, told.of) == (MODEL, 400, 400)
    assert by[ablation.NOTHING].auroc == by[ablation.NOTHING].before
    assert by["asa_class"].auroc.value is not None
    assert by["asa_class"].before.value is not None
    assert by["asa_class"].auroc.value < by["asa_class"].before.value - 0.1
    assert by["asa_class"].known == 350
    assert (by["age"].share_computed, by["age"].auroc.value) == (0.0, None)  # no estimate is made without an age
    assert by["bmi"].known is None  # it was never known: that too few had it is all that is told


def test_a_figure_that_does_not_come_back_is_not_compared(models: Registry, cases: list[ScoredCase]) -> None:
    others = [msgspec.structs.replace(one, raw=0.5 * one.raw) for one in cases]
    (told,) = ablation.ablations({OUTCOME: others}, models)
    assert (told.n, told.rows) == (None, ())
    assert ablation.ablations({OUTCOME: cases[:12]}, models) == ()


def test_a_value_that_no_model_takes_any_more_stops_nothing(models: Registry, cases: list[ScoredCase]) -> None:
    gone = {**cases[0].operation.inputs, "procedure_group": InputTold("procedure_group", "used", "no-longer-one")}
    odd = msgspec.structs.replace(cases[0], operation=msgspec.structs.replace(cases[0].operation, inputs=gone))
    (told,) = ablation.ablations({OUTCOME: [odd] * 20 + cases}, models)
    assert (told.n, told.of) == (400, 420)
