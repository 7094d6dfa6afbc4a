"""The exporter: parity, exact sums, standard errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models_onnx.model_card import ModelError
from models_onnx.registry import PACKAGE
from models_onnx.sessions import open_session
from models_onnx.training.__main__ import exports
from models_onnx.training.export import PARITY, check_parity, compare_stack, probes
from models_onnx.training.graph import single, stacked

EXPORTS = exports()
BY_NAME = pytest.mark.parametrize("one", EXPORTS, ids=[one.model.name for one in EXPORTS])


@BY_NAME
def test_graph_and_estimator_agree_with_values_missing_and_far_out_of_range(one) -> None:
    rows = probes(one.model)
    assert np.isnan(rows).any()
    assert check_parity(one, single(one.model)) <= PARITY


@BY_NAME
def test_a_graph_that_differs_from_its_estimator_is_not_written(one) -> None:
    wrong = replace(one, model=replace(one.model, base=one.model.base + 2e-6))
    with pytest.raises(ModelError, match="graph and estimator"):
        check_parity(wrong, single(wrong.model))


def test_the_stack_is_bit_identical_to_the_single_graphs() -> None:
    models = [one.model for one in EXPORTS]
    features = list(dict.fromkeys(name for model in models for name in model.inputs))
    compare_stack(models, features, open_session(stacked(models, features, [])))


def test_a_stack_in_which_one_model_differs_is_refused_by_its_name() -> None:
    models = [one.model for one in EXPORTS]
    features = list(dict.fromkeys(name for model in models for name in model.inputs))
    other = [replace(models[0], base=models[0].base + 1e-6), *models[1:]]
    with pytest.raises(ModelError, match=f"{models[0].name}: the stacked graph differs"):
        compare_stack(models, features, open_session(stacked(other, features, [])))


@pytest.mark.parametrize("name", ["elective-complication", "elective-death"])
def test_the_standard_error_is_the_delta_method_s_with_and_without_asa_class(name: str) -> None:
    one = next(one for one in EXPORTS if one.model.name == name)
    rows = probes(one.model)
    translated = one.estimator.translated(rows)
    answerable = ~np.isnan(translated[:, [0, 1]]).any(axis=1)
    told = open_session(single(one.model)).run(["logit_standard_error"], {"X": rows})[0][:, 0]
    fitted = one.estimator.fitted
    for known in (True, False):
        chosen = answerable & (np.isnan(translated[:, 3]) != known)
        design = fitted.design(translated[chosen], with_asa=known)
        covariance = (fitted.with_asa_ if known else fitted.without_asa_).covariance
        variance = np.einsum("ij,jk,ik->i", design, covariance, design)
        assert chosen.sum() > 10
        np.testing.assert_allclose(told[chosen], np.sqrt(variance), atol=1e-6)


@pytest.mark.parametrize("name", ["elective-complication", "elective-death"])
def test_risk_never_falls_with_age_or_asa_class(name: str) -> None:
    one = next(one for one in EXPORTS if one.model.name == name)
    session = open_session(single(one.model))
    ages = np.arange(18, 100.0)
    for asa in (2.0, 3.0, 4.0, np.nan):
        people = np.column_stack(
            [np.zeros(len(ages)), ages, np.zeros(len(ages)), np.full(len(ages), asa), np.full(len(ages), 28.0)]
        )
        assert (np.diff(session.run(["logit"], {"X": people})[0][:, 0]) >= -1e-12).all()
    classes = np.array([[0.0, 70.0, 1.0, asa, 28.0] for asa in range(1, 6)])
    assert (np.diff(session.run(["logit"], {"X": classes})[0][:, 0]) >= 0).all()


def test_graphs_have_the_opset_and_ir_that_onnxruntime_reads() -> None:
    import onnx

    for path in PACKAGE.rglob("*.onnx"):
        graph = onnx.load(path)
        assert (graph.ir_version, [entry.version for entry in graph.opset_import]) == (10, [18, 5])
