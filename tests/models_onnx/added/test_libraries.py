"""Models as the libraries of data scientists export them: each passes its trial and says what its library says."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models_onnx import added_card
from models_onnx.added import apart
from models_onnx.added_graph import AddedGraph, row
from models_onnx.added_model import AddedModel
from tests.models_onnx.added import graphs

Rows = Any
DRAW = np.random.default_rng(3)
PEOPLE: Rows = np.column_stack(
    [DRAW.integers(18, 100, 600), DRAW.integers(1, 6, 600), DRAW.normal(13, 2, 600).clip(6, 18).round(1),
     DRAW.random(600) < 0.2]
).astype(np.float32)  # fmt: skip
HAPPENED: Rows = DRAW.random(600) < 1 / (1 + np.exp(3 - 0.03 * PEOPLE[:, 0] + 0.2 * (PEOPLE[:, 2] - 13)))
HAPPENED = HAPPENED.astype(int)  # onnxmltools reads classes that are numbers


def scikit_learn(model: Any) -> tuple[Any, bytes]:
    from skl2onnx import to_onnx

    fitted = model.fit(PEOPLE, HAPPENED)
    return fitted, to_onnx(fitted, PEOPLE[:1], options={"zipmap": False}).SerializeToString()


def boosted(library: str) -> tuple[Any, bytes]:
    pytest.importorskip(library)
    with warnings.catch_warnings():  # of these libraries about each other; nothing of ours
        warnings.simplefilter("ignore")
        from onnxmltools.convert import convert_lightgbm, convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        table = [("people", FloatTensorType([None, 4]))]
        if library == "xgboost":
            from xgboost import XGBClassifier

            model = XGBClassifier(n_estimators=40, max_depth=4).fit(PEOPLE, HAPPENED)
            return model, convert_xgboost(model, initial_types=table).SerializeToString()
        from lightgbm import LGBMClassifier

        model = LGBMClassifier(n_estimators=40, verbose=-1).fit(PEOPLE, HAPPENED)
        return model, convert_lightgbm(model, initial_types=table, zipmap=False).SerializeToString()


MODELS: dict[str, Callable[[], tuple[Any, bytes]]] = {
    "logistic regression": lambda: scikit_learn(make_pipeline(StandardScaler(), LogisticRegression())),
    "random forest": lambda: scikit_learn(RandomForestClassifier(30, max_depth=6, random_state=1)),
    "gradient boosting": lambda: scikit_learn(GradientBoostingClassifier(n_estimators=30)),
    "histogram boosting": lambda: scikit_learn(HistGradientBoostingClassifier(max_iter=30)),
    "network": lambda: scikit_learn(make_pipeline(StandardScaler(), MLPClassifier((8, 4), max_iter=60, tol=0.01))),
    "naive Bayes": lambda: scikit_learn(GaussianNB()),
    "calibrated": lambda: scikit_learn(CalibratedClassifierCV(LogisticRegression(max_iter=500))),
    "xgboost": lambda: boosted("xgboost"),
    "lightgbm": lambda: boosted("lightgbm"),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_in_the_service_what_its_library_says(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a network that was not trained to its end is no matter here
        model, content = MODELS[name]()
        figures = model.predict_proba(PEOPLE[:20])[:, 1]
    people = [
        graphs.one(age=age, asa_class=asa, haemoglobin=round(haemoglobin, 1), heart_failure=failing > 0)
        for age, asa, haemoglobin, failing in PEOPLE[:20].tolist()
    ]
    examples = [
        {"inputs": person, "probability": float(figure)} for person, figure in zip(people, figures, strict=True)
    ]
    output = {"name": "probabilities", "column": 1}
    folder = graphs.folder(tmp_path / "new", content, examples=examples, output=output)
    assert apart.tried(folder).golden.cases
    card = added_card.read_card(folder)
    added = AddedModel(card, AddedGraph(content, card), "")
    told = added.graph.probabilities(np.array([row(card, person) for person in people]))
    assert told == pytest.approx(figures, abs=1e-5)
    assert added.answer(people[0] | {"haemoglobin": None}).score.status in ("range", "computed")


@pytest.mark.parametrize("exporter", ["legacy", "dynamo"])
def test_what_torch_really_exported_says_what_torch_said(exporter: str, tmp_path: Path) -> None:
    """Kept with how it was made (torch_exports/export.txt): torch itself is too large to be installed for a test."""
    folder = Path(__file__).with_name("torch_exports")
    content = (folder / f"{exporter}.onnx").read_bytes()
    examples = []
    for one in json.loads((folder / "people.json").read_text()):
        age, asa, haemoglobin, failing = one["person"]
        person = graphs.one(age=age, asa_class=asa, haemoglobin=round(haemoglobin, 1), heart_failure=failing > 0)
        examples.append({"inputs": person, "probability": one["probability"]})
    made = graphs.folder(tmp_path / "new", content, examples=examples)
    assert apart.tried(made).operators == ("BatchNormalization", "Gelu", "Gemm", "Relu", "Sigmoid")
    card = added_card.read_card(made)
    added = AddedModel(card, AddedGraph(content, card), "")
    for one in examples:
        assert added.answer(one["inputs"]).score.probability == pytest.approx(one["probability"], abs=1e-5)
    assert added.answer(examples[0]["inputs"] | {"haemoglobin": None}).score.status == "range"


def test_a_network_of_pytorch_is_a_chain_of_allowed_operators(tmp_path: Path) -> None:
    """As torch.onnx.export writes Linear, ReLU, BatchNorm1d, Linear and Sigmoid: weights transposed in Gemm."""
    draw = np.random.default_rng(5)
    weights = {
        "0.weight": draw.normal(0, 0.05, (6, 4)), "0.bias": np.zeros(6), "2.weight": np.ones(6), "2.bias": np.zeros(6),
        "2.running_mean": np.zeros(6), "2.running_var": np.ones(6), "3.weight": draw.normal(0, 0.1, (1, 6)),
        "3.bias": np.array([-2.0]),
    }  # fmt: skip
    nodes = [
        graphs.node("Gemm", ["X", "0.weight", "0.bias"], ["a"], transB=1),
        graphs.node("Relu", ["a"], ["b"]),
        graphs.node("BatchNormalization", ["b", "2.weight", "2.bias", "2.running_mean", "2.running_var"], ["c"]),
        graphs.node("Gemm", ["c", "3.weight", "3.bias"], ["d"], transB=1),
        graphs.node("Sigmoid", ["d"], ["p"]),
    ]
    content = graphs.graph(nodes, [graphs.constant(name, one) for name, one in weights.items()])
    found = apart.tried(graphs.folder(tmp_path / "new", content))
    assert found.operators == ("BatchNormalization", "Gemm", "Relu", "Sigmoid")
