"""A challenger is scored in silence: kept in the record beside the champion, and on no card (DEC-36, R-F09)."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from cds_service.records import scores, tables
from cds_service.records.watched_calls import watched_calls
from cds_service.web.app import RECORDS
from models_onnx.promotion import promote
from tests.acceptance.requests import PCS, a_request, an_order, bundle
from tests.conformance.conftest import SERVICE, an_app
from tests.models_onnx.versions import a_folder_with_second_version

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_folder_with_second_version(tmp_path / "models")


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Flask:
    return an_app(tmp_path, demo=True, models=folder)


def ask(app: Flask, **prefetch: Any) -> dict[str, Any]:
    card: dict[str, Any] = app.test_client().post(SERVICE, json=a_request(**prefetch)).json["cards"][0]
    return card


def told(card: dict[str, Any]) -> list[tuple[str, str]]:
    predictions = card["extension"]["io.surgical-risk.assessment"]["predictions"]
    return [(one["model"], one["version"]) for one in predictions]


def kept(app: Flask) -> list[dict[str, Any]]:
    """Of the latest evaluation: every version that was scored."""
    records = app.extensions[RECORDS]
    assert records.flush(5)
    with records.durable.connect() as connection:
        query = "SELECT models FROM evaluation ORDER BY received_at DESC LIMIT 1"
        found: list[dict[str, Any]] = json.loads(connection.exec_driver_sql(query).scalar())
        return found


def test_a_challenger_is_on_no_card_and_in_no_discrete_result(app: Flask) -> None:
    card = ask(app)
    assert ("sort-2014", "1.0.0") in told(card)
    assert ("sort-2014", "1.1.0") not in told(card)
    assert "1.1.0" not in json.dumps(card)


def test_the_model_page_says_which_version_is_told_and_which_is_scored_in_silence(app: Flask) -> None:
    page = app.test_client().get("/models/30-day-death").text
    assert page.count("Told to clinicians") == 2
    assert page.count("Scored in silence: recorded, never told") == 1
    listed = app.test_client().get("/models", headers={"Accept": "application/json"}).json["models"]
    states = {(one["model"], one["version"]): one["state"] for one in listed}
    assert (states["sort-2014", "1.0.0"], states["sort-2014", "1.1.0"]) == ("champion", "challenger")
    assert "scored in silence" in app.test_client().get("/models").text


def test_the_record_holds_the_challenger_beside_the_champion_with_what_each_said(app: Flask) -> None:
    ask(app)
    champion, challenger = (one for one in kept(app) if one["model"] == "sort-2014")
    assert (champion["version"], champion.get("state")) == ("1.0.0", None)
    assert (challenger["version"], challenger["state"], challenger["status"]) == ("1.1.0", "challenger", "computed")
    assert challenger["probability"] > champion["probability"] > 0
    assert champion["sha256"] != challenger["sha256"]


def test_a_challenger_that_lacks_an_input_says_so_in_the_record_alone(app: Flask) -> None:
    card = ask(app, observations=bundle())
    assert "1.1.0" not in json.dumps(card)
    challenger = next(one for one in kept(app) if (one["model"], one["version"]) == ("sort-2014", "1.1.0"))
    assert challenger["state"] == "challenger"
    assert challenger["status"] == "not-computable"
    assert "probability" not in challenger


def test_where_only_a_challenger_covers_the_operation_nothing_is_said(tmp_path: Path, folder: Path) -> None:
    registry = folder / "registry.yaml"
    lines = registry.read_text(encoding="utf-8").replace("state: champion", "state: retired")
    fitted = "model: elective-complication, version: 1.0.0, state: "
    registry.write_text(lines.replace(f"{fitted}retired", f"{fitted}champion"), encoding="utf-8")
    app = an_app(tmp_path, demo=True, models=folder)
    gallbladder = an_order((PCS, "0FT44ZZ"))
    response = app.test_client().post(SERVICE, json=a_request(gallbladder))
    assert response.status_code == 200
    assert response.json["cards"] == []
    assert response.json["extension"]["io.surgical-risk.silence"]["reason"] == "out-of-scope"


def test_after_its_promotion_it_is_told_and_the_former_champion_is_the_challenger(app: Flask, folder: Path) -> None:
    promote(folder, "sort-2014", "1.1.0")
    assert app.extensions["surgical-risk-models"].refresh()
    card = ask(app)
    assert ("sort-2014", "1.1.0") in told(card)
    assert ("sort-2014", "1.0.0") not in told(card)
    former = next(one for one in kept(app) if (one["model"], one["version"]) == ("sort-2014", "1.0.0"))
    assert former["state"] == "challenger"


def test_the_export_sets_both_beside_what_happened(app: Flask) -> None:
    card = ask(app)
    records = app.extensions[RECORDS]
    evaluation_id = card["extension"]["io.surgical-risk.assessment"]["assessmentId"]
    kept(app)
    died = {"tenant_id": "demo", "evaluation_id": evaluation_id, "outcome": "30-day-death", "occurred": True}
    with records.durable.begin() as connection:
        connection.execute(insert(tables.outcome).values(**died, source="registry", recorded_at=LONG_AGO))
    out = io.StringIO()
    assert scores.to_csv(records.durable, "demo", out, since=LONG_AGO) > 2
    rows = [row for row in csv.DictReader(io.StringIO(out.getvalue())) if row["model"] == "sort-2014"]
    assert [(row["version"], row["state"], row["occurred"]) for row in rows] == [
        ("1.0.0", "champion", "1"),
        ("1.1.0", "challenger", "1"),
    ]
    assert float(rows[1]["probability"]) > float(rows[0]["probability"])
    assert "pt-b" not in out.getvalue()


def test_each_told_score_of_the_record_has_the_horizon_of_its_model(app: Flask) -> None:
    """Without it monitoring counts no operation of that outcome (monitoring/outcome_series.py)."""
    ask(app)
    kept(app)
    now = datetime.now(UTC)
    engine = app.extensions[RECORDS].durable
    (call,) = watched_calls(engine, "demo", since=now - timedelta(days=1), until=now + timedelta(days=1))
    assert call.result.horizons["30-day-death", "sort-2014", "1.0.0"] == 30
