"""A hospital recalibrates a model: fitted from its own record, approved by a second person, told on the next card."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from cds_service.answering.models_in_force import ModelsInForce
from cds_service.commands.cli import main
from cds_service.records import database, switches, tables
from cds_service.web.app import MODELS, RECORDS
from models_onnx.model import sigmoid
from models_onnx.recalibrated import log_odds
from tests.acceptance.requests import a_request
from tests.cds_service.commands.a_hospital import CARD, FIT, MODEL, Run, half_a_year, run_on
from tests.conformance.conftest import SERVICE, a_tenant_file, an_app

ANSWER = "io.surgical-risk.assessment"
APPROVE = ("recalibrate", "approve", "demo", MODEL, "1", "--reason", "reviewed")
RETIRE = ("recalibrate", "retire", "demo", MODEL, "1", "--by", "B. Smith", "--reason", "ward closed")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return an_app(tmp_path, demo=True)


@pytest.fixture
def run(tmp_path: Path, app: Flask) -> Run:
    return run_on(tmp_path, app)


def ask(app: Flask) -> tuple[dict[str, Any], dict[str, Any]]:
    """The card, and what it tells of this model."""
    models: ModelsInForce = app.extensions[MODELS]
    models.refresh_recalibrations()
    card = app.test_client().post(SERVICE, json=a_request()).json["cards"][0]
    (told,) = [one for one in card["extension"][ANSWER]["predictions"] if one["model"] == MODEL]
    return card, told


def kept(app: Flask) -> dict[str, Any]:
    """What the record has of this model's latest answer."""
    records = app.extensions[RECORDS]
    assert records.flush(5)
    with records.durable.connect() as connection:
        query = "SELECT models FROM evaluation ORDER BY received_at DESC LIMIT 1"
        models = json.loads(connection.exec_driver_sql(query).scalar())
    return next(one for one in models if one["model"] == MODEL)


def test_a_proposal_changes_no_answer_and_an_approved_one_every_figure_of_its_model(app: Flask, run: Run) -> None:
    half_a_year(app)
    before_card, before = ask(app)
    fitted = run(*FIT)
    assert fitted.exit_code == 0, fitted.output
    assert "proposal number 1" in fitted.output
    assert ask(app)[1] == before
    assert run(*APPROVE, "--by", "B. Smith").exit_code == 0

    card, told = ask(app)
    by = told["recalibration"]
    assert by["rawProbability"] == before["probability"]
    logit = by["intercept"] + by["slope"] * log_odds(before["probability"])
    assert told["probability"] == pytest.approx(sigmoid(logit), abs=1e-12)
    assert told["probability"] < before["probability"]
    assert told["low"] < told["probability"] < told["high"]
    raw = {one["input"]: one["logOdds"] for one in before["contributions"]}
    for one in told["contributions"]:
        assert one["logOdds"] == pytest.approx(by["slope"] * raw[one["input"]], abs=1e-12)
    moved = log_odds(before["peerProbability"]) + by["peerShift"]
    assert told["peerProbability"] == pytest.approx(sigmoid(moved), abs=1e-12)
    assert by["fittedOn"] == {
        "n": 2_000,
        "events": by["fittedOn"]["events"],
        "first": "2026-01-05",
        "last": "2026-03-29",
    }
    others = [one for one in card["extension"][ANSWER]["predictions"] if one["model"] != MODEL]
    assert others == [one for one in before_card["extension"][ANSWER]["predictions"] if one["model"] != MODEL]


def test_the_card_says_which_figures_were_recalibrated_and_which_were_not(app: Flask, run: Run) -> None:
    half_a_year(app)
    assert "ot calibrated here" in ask(app)[0]["detail"]
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    detail = ask(app)[0]["detail"]
    today = datetime.now(UTC)
    when = f"{today.day} {today:%b %Y}"
    assert f"Recalibrated for this hospital (number 1, {when}): any complication; the rest " in detail
    assert "(usual here " in detail
    assert len(detail) <= 1200


def test_the_hospitals_own_model_page_says_what_was_recalibrated_and_the_public_one_does_not(
    app: Flask, run: Run, tmp_path: Path
) -> None:
    half_a_year(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    folder = a_tenant_file(tmp_path / "tenants", id="demo", environment="dev", local_pages="q7Zr2mXv9KpTn4Ws")
    hospital = an_app(tmp_path, tenants=folder).test_client()
    own = hospital.get("/sites/q7Zr2mXv9KpTn4Ws/models/any-complication").text
    assert "Recalibrated for this hospital (number 1)" in own
    assert "2,000 operations" in own
    assert "B. Smith" not in own
    assert "Recalibrated for this hospital" not in hospital.get("/models/any-complication").text


def test_the_record_keeps_the_figure_told_and_the_models_own(app: Flask, run: Run) -> None:
    half_a_year(app)
    own = ask(app)[1]["probability"]
    assert "rawProbability" not in kept(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    told = ask(app)[1]["probability"]
    assert (kept(app)["probability"], kept(app)["rawProbability"], kept(app)["recalibration"]) == (told, own, 1)


def test_retired_it_is_gone_and_every_step_is_an_event(app: Flask, run: Run) -> None:
    half_a_year(app)
    before = ask(app)[1]
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    assert run(*RETIRE).exit_code == 0
    assert ask(app)[1] == before
    assert "retired already" in run(*RETIRE).output
    events = switches.history(app.extensions[RECORDS].durable)
    assert [(one.action, one.value, one.done_by) for one in events] == [
        ("recalibration", "proposed", "A. Jones"),
        ("recalibration", "in-force", "B. Smith"),
        ("recalibration", "retired", "B. Smith"),
    ]
    assert {one.scope for one in events} == {f"recalibration 1 of {MODEL} {CARD.version}"}


def test_a_new_one_takes_the_place_of_the_former(app: Flask, run: Run) -> None:
    half_a_year(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    ask(app)
    assert "proposal number 2" in run(*FIT).output
    second = [word if word != "1" else "2" for word in APPROVE]
    assert run(*second, "--by", "B. Smith").exit_code == 0
    assert ask(app)[1]["recalibration"]["number"] == 2
    listed = run("recalibrate", "list", "demo").output.splitlines()
    assert ["retired" in line for line in listed] == [True, False]
    assert re.search(
        r"number 2 in-force: .*2000 operations, .*fitted by A\. Jones on .*, approved by B\. Smith", listed[1]
    )
    assert run("recalibrate", "list", "nowhere").output == ""


def test_R_E06_who_fitted_it_does_not_approve_it(app: Flask, run: Run) -> None:
    half_a_year(app)
    run(*FIT)
    assert "a second person has to approve" in run(*APPROVE, "--by", "a. jones ").output
    assert "recalibration" not in ask(app)[1]
    assert (
        "no recalibration of elective-complication with number 1"
        in run(*[word if word != "demo" else "elsewhere" for word in APPROVE], "--by", "B. Smith").output
    )


def test_R_G15_one_hospitals_recalibration_is_not_anothers(app: Flask, run: Run) -> None:
    half_a_year(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    engine = app.extensions[RECORDS].durable
    with engine.begin() as connection:
        connection.execute(tables.recalibration.update().values(tenant_id="another-hospital"))
    assert "recalibration" not in ask(app)[1]


def test_it_holds_for_the_graph_it_was_fitted_on_alone(app: Flask, run: Run) -> None:
    half_a_year(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    with app.extensions[RECORDS].durable.begin() as connection:
        connection.execute(tables.recalibration.update().values(sha256="0" * 64))
    assert "recalibration" not in ask(app)[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (FIT, "0 operations with 0 events: at least 100 events"),
        (("recalibrate", "fit", "demo", "rcri", *FIT[4:]), "rcri counts points and claims no probability"),
        (("recalibrate", "fit", "demo", "nothing", *FIT[4:]), "nothing: no such model is scored"),
    ],
)
def test_what_cannot_be_fitted_is_refused_with_its_reason(run: Run, words: tuple[str, ...], why: str) -> None:
    refused = run(*words)
    assert refused.exit_code == 1
    assert why in refused.output


def test_a_record_of_another_schema_is_named(tmp_path: Path) -> None:
    words = ["recalibrate", "list", "--database", f"sqlite:///{tmp_path}/empty.sqlite3"]
    assert "record migrate" in CliRunner().invoke(main, words).output


def test_while_the_database_is_away_the_last_known_hold(app: Flask, run: Run) -> None:
    half_a_year(app)
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    told = ask(app)[1]["recalibration"]
    models: ModelsInForce = app.extensions[MODELS]

    def away() -> Any:
        raise database.DatabaseError("away")

    models._read = away
    models.refresh_recalibrations()
    assert ask(app)[1]["recalibration"] == told


def test_contributions_and_reference_still_add_up_in_the_assessment(app: Flask, run: Run) -> None:
    half_a_year(app)
    reference = log_odds(ask(app)[1]["probability"]) - math.fsum(one["logOdds"] for one in ask(app)[1]["contributions"])
    run(*FIT)
    run(*APPROVE, "--by", "B. Smith")
    told = ask(app)[1]
    by = told["recalibration"]
    total = math.fsum(one["logOdds"] for one in told["contributions"]) + by["intercept"] + by["slope"] * reference
    assert total == pytest.approx(log_odds(told["probability"]), abs=1e-9)
