"""Models replaced in a running worker: verified first, swapped whole; broken new ones leave the old in force."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.answering import models_in_force
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.operations import metrics
from cds_service.web.app import MODELS
from models_onnx.model_card import ModelError
from models_onnx.promotion import promote, retire
from models_onnx.registry import PACKAGE
from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, an_app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "models"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    return target


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Flask:
    return an_app(tmp_path, demo=True, models=folder)


def in_force(app: Flask) -> ModelsInForce:
    found: ModelsInForce = app.extensions[MODELS]
    return found


def told(app: Flask) -> dict[str, str]:
    """The models of one answer with their versions."""
    card = app.test_client().post(SERVICE, json=a_request()).json["cards"][0]
    predictions = card["extension"]["io.surgical-risk.assessment"]["predictions"]
    return {one["model"]: one["version"] for one in predictions}


def ready(app: Flask) -> dict[str, Any]:
    answer: dict[str, Any] = app.test_client().get("/ready").json
    return answer


def loads(result: str) -> float:
    return metrics.model_loads.labels(result)._value.get()


def test_nothing_is_read_again_while_nothing_has_changed(app: Flask) -> None:
    models = in_force(app).models
    assert in_force(app).refresh() is False
    assert in_force(app).models is models


def test_a_retired_model_is_gone_from_the_next_answer_and_from_what_is_told_as_ready(app: Flask, folder: Path) -> None:
    before = loads("loaded")
    assert "mfi-5" in told(app)
    retire(folder, "mfi-5", "1.0.0")
    assert in_force(app).refresh() is True
    assert "mfi-5" not in told(app)
    assert "mfi-5 1.0.0" not in ready(app)["models"]
    promote(folder, "mfi-5", "1.0.0", to="challenger")
    assert in_force(app).refresh() is True
    assert "mfi-5 1.0.0" in ready(app)["challengers"]
    assert loads("loaded") == before + 2


@pytest.mark.parametrize("broken", ["registry.yaml", "stacked.onnx", "stacked.json", "peers.yaml"])
def test_broken_models_change_nothing_and_are_counted_logged_and_told_until_they_are_right(
    app: Flask, folder: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before, right, answered = loads("refused"), (folder / broken).read_bytes(), told(app)
    (folder / broken).write_bytes(b"- {")
    assert in_force(app).refresh() is False
    assert told(app) == answered
    assert broken in ready(app)["modelsRefused"]
    assert app.test_client().get("/ready").status_code == 200
    assert loads("refused") == before + 1
    assert in_force(app).refresh() is False
    assert loads("refused") == before + 1
    assert capsys.readouterr().out.count("models-refused") == 1
    (folder / broken).write_bytes(right)
    assert in_force(app).refresh() is True
    assert "modelsRefused" not in ready(app)


def test_what_was_refused_is_tried_again_although_the_registry_stayed(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = next(folder.glob("*/rcri/1.0.0/golden_scores.json"))
    right = golden.read_text(encoding="utf-8")
    golden.write_text(json.dumps({"model": "rcri", "version": "1.0.0", "cases": []}), encoding="utf-8")
    retire_by_hand = (
        (folder / "registry.yaml")
        .read_text(encoding="utf-8")
        .replace("model: mfi-5, version: 1.0.0, state: champion", "model: mfi-5, version: 1.0.0, state: retired")
    )
    (folder / "registry.yaml").write_text(retire_by_hand, encoding="utf-8")
    assert in_force(app).refresh() is False
    golden.write_text(right, encoding="utf-8")
    assert in_force(app).refresh() is False
    monkeypatch.setattr(models_in_force, "RETRY_S", -1.0)
    in_force(app)._retry_at = 0.0
    assert in_force(app).refresh() is True
    assert "mfi-5" not in told(app)


def test_a_worker_does_not_start_on_models_that_are_not_what_was_exported(tmp_path: Path, folder: Path) -> None:
    graph = next(folder.glob("*/rcri/1.0.0/model.onnx"))
    graph.write_bytes(graph.read_bytes() + b" ")
    with pytest.raises(ModelError, match=r"rcri 1\.0\.0: model\.onnx is not the file that was exported"):
        an_app(tmp_path, demo=True, models=folder)


def test_models_of_class_b_answer_only_where_they_are_switched_on(tmp_path: Path) -> None:
    without, switched = an_app(tmp_path, demo=True), an_app(tmp_path, demo=True, class_b=True)
    class_b = {"gupta-pneumonia", "gscri", "sort-morbidity"}
    assert not class_b & {card.name for card in in_force(without).models.cards}
    assert class_b <= {card.name for card in in_force(switched).models.cards}
