"""The first screen of a model's page says how good it is by what was measured, or that nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.pages import evaluations, model_summary
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from models_onnx import registry
from models_onnx.registry import Registry


@pytest.fixture(scope="module")
def served() -> Registry:
    return registry.load()


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("record")
    return create_app(Settings(demo=True, database_url=f"sqlite:///{folder}/record.sqlite3")).test_client()


def test_a_fitted_model_tells_the_figures_of_its_own_evaluation(served: Registry) -> None:
    card = served.card("elective-complication")
    found = evaluations.of(card)
    assert found is not None
    row, told = found.performance[0], model_summary.how_good(card, served)
    assert f"{row['n']:,} operations" in told.measured
    assert f"in {round(100 * row['auroc']['value'])} (95 %" in told.ranks
    assert told.level == f"Predicted: {100 * row['expected']:.1f} of 100; observed: {100 * row['observed']:.1f}."
    assert len(told.others) == len(found.performance) - 1


def test_an_equation_that_was_measured_beside_a_fitted_model_is_not_called_unevaluated(served: Registry) -> None:
    told = model_summary.how_good(served.card("sort-2014"), served)
    assert "16,095" in told.measured
    assert "85 (95 % interval 81 to 88" in told.ranks


def test_every_other_model_says_that_it_was_not_evaluated_here(served: Registry) -> None:
    measured = {"elective-complication", "elective-death", "sort-2014"}
    for card in served.cards:
        told = model_summary.how_good(card, served)
        assert told.measured.startswith("Not evaluated by this project") == (card.name not in measured), card.name


def test_a_page_begins_with_what_it_is_for_whom_and_how_good(http: FlaskClient, served: Registry) -> None:
    for outcome in {card.outcome for card in served.cards}:
        page = http.get(f"/models/{outcome}").text
        headings = ["<h3>What it is</h3>", "<h3>For whom</h3>", "<h3>How good</h3>", "<h3>Limits</h3>"]
        places = [page.index(heading) for heading in headings]
        assert places == sorted(places)
        assert "has not been evaluated by us" not in page


def test_no_score_is_called_by_the_name_of_another(http: FlaskClient) -> None:
    page = http.get("/models/frailty").text
    assert "<h1>Frailty points</h1>" in page
    hospital = page.split('id="hfrs"')[1]
    assert "mFI-5)" not in hospital.split("<h3>Limits</h3>")[0]


def test_the_risk_summary_tells_what_can_change_while_the_service_runs(http: FlaskClient) -> None:
    page = http.get("/irm").text
    assert "No parameter changes" not in page
    assert "recalibration" in page.split("Governance")[1]
