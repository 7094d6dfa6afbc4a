"""A challenger of a site's own: recorded beside what is told, and nothing that anybody is told is another (R-F09)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import select

from cds_service.records import tables
from cds_service.web.app import RECORDS
from models_onnx import data_files
from models_onnx.added_card import AddedCard
from models_onnx.model_card import ModelError
from tests.acceptance.own_models import EXTENSION, Apps, a_site, card, lasting
from tests.models_onnx.added import graphs


def kept(app: Flask) -> dict[str, dict[str, Any]]:
    """What the record says of each model in its latest row."""
    assert app.extensions[RECORDS].flush(5)
    with app.extensions[RECORDS].durable.connect() as connection:
        told = connection.execute(select(tables.evaluation.c.models).order_by(tables.evaluation.c.id.desc())).scalars()
        return {one["model"]: one for one in msgspec.json.decode(told.first())}


@pytest.mark.parametrize("validated", [False, True])
def test_a_challenger_is_recorded_and_changes_no_word_of_a_card(apps: Apps, tmp_path: Path, validated: bool) -> None:
    site = a_site(tmp_path, validated=validated, challenger=True)
    without, app = card(apps(None)), apps(site)
    with_it = card(app)
    for member in ("summary", "indicator", "detail", "source", "overrideReasons"):
        assert lasting(with_it).get(member) == lasting(without).get(member), member
    assert "bleeding" not in [one["model"] for one in with_it["extension"][EXTENSION]["predictions"]]
    found = kept(app)["bleeding"]
    assert (found["state"], found["status"]) == ("challenger", "computed")
    assert 0 < found["probability"] < 1
    page = app.test_client().get("/models/added/bleeding").text
    assert "scored and recorded, told to nobody" in page


def test_an_input_that_is_only_declared_is_told_as_missing(apps: Apps, tmp_path: Path) -> None:
    members = {
        "inputs": [
            {"name": "age", "kind": "number", "unit": "years", "low": 18, "high": 100},
            {"name": "asa_class", "kind": "number", "low": 1, "high": 5, "values": [1, 2, 3, 4, 5]},
            {"name": "haemoglobin", "kind": "number", "unit": "g/dL", "low": 6, "high": 18, "values": [8, 15]},
            {"name": "open_approach", "kind": "yes-no", "declared": True},
        ],
        "contributions": {"method": "none"},
        "examples": [],
    }
    folder = graphs.folder(tmp_path / "made")
    before = msgspec.to_builtins(data_files.read_yaml(folder / "model.yaml", AddedCard))
    renamed = [
        {
            **one,
            "inputs": {("open_approach" if k == "heart_failure" else k): v for k, v in one["inputs"].items()},
        }
        for one in before["examples"]
    ]
    site = a_site(tmp_path / "other", **{**members, "examples": renamed})
    told = card(apps(site))["detail"]
    assert "depending on open approach." in told


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "open_approach", "kind": "yes-no", "declared": True, "required": True},
        {"name": "levels", "kind": "number", "low": 1, "high": 9, "declared": True, "site": True},
    ],
)
def test_what_is_always_missing_can_be_neither_required_nor_of_a_site_folder(tmp_path: Path, entry: Any) -> None:
    with pytest.raises(ModelError, match="what is only declared is always missing"):
        a_site(tmp_path, inputs=[entry])
