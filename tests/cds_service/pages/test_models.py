"""Model pages tell everything that the card has, and say visibly what it has not."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.pages.attributes import PREDICTIVE
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from fhir_mappings.terminology.procedure_groups import GROUPS
from models_onnx import registry

DEMOGRAPHIC = {"race", "ethnicity", "language", "insurance", "payer", "income", "religion"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("record")
    return create_app(Settings(demo=True, database_url=f"sqlite:///{folder}/record.sqlite3"))


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


def outcomes() -> list[str]:
    return sorted({card.outcome for card in registry.load().cards})


@pytest.mark.parametrize("outcome", outcomes())
def test_every_outcome_has_a_page_and_the_same_as_json(http: FlaskClient, outcome: str) -> None:
    page = http.get(f"/models/{outcome}", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (200, "text/html")
    told = http.get(f"/models/{outcome}", headers={"Accept": "application/json"}).json
    for model in told["models"]:
        assert model["title"] in page.text


@pytest.mark.parametrize("outcome", outcomes())
def test_all_31_attributes_are_told_and_none_is_blank(http: FlaskClient, outcome: str) -> None:
    for model in http.get(f"/models/{outcome}", headers={"Accept": "application/json"}).json["models"]:
        assert len(model["attributes"]) == 31
        assert all(text.strip() for text in model["attributes"].values())


def test_the_attributes_stand_in_nine_groups_of_the_rule() -> None:
    assert [len(group.attributes) for group in PREDICTIVE] == [4, 4, 2, 4, 2, 4, 5, 4, 2]
    assert [a.number for group in PREDICTIVE for a in group.attributes] == list(range(1, 32))


def test_no_model_reads_race_ethnicity_language_or_insurance() -> None:
    assert [i.name for card in registry.load().cards for i in card.inputs if i.name in DEMOGRAPHIC] == []


def test_an_outcome_that_nobody_models_is_404(http: FlaskClient) -> None:
    assert http.get("/models/winning-the-lottery").status_code == 404


def test_an_evaluated_model_shows_its_plots(http: FlaskClient) -> None:
    page = http.get("/models/any-complication").text
    assert page.count('<svg class="plot"') == 4
    assert "Observed for each one expected: Age band 18-49" in page
    assert "Calibration: predicted" in page


@pytest.mark.parametrize("path", ["/models", "/irm", "/evidence", "/codes/topic", "/models/30-day-death"])
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(http: FlaskClient, path: str) -> None:
    page = http.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "style=" not in page.text
    assert "<script>" not in page.text
    assert 'src="http' not in page.text


@pytest.mark.parametrize("outcome", ["30-day-death", "any-complication", "major-cardiac-event"])
def test_a_page_and_its_json_report_every_item_of_tripod_ai(http: FlaskClient, outcome: str) -> None:
    page = http.get(f"/models/{outcome}").text
    assert "Report by TRIPOD+AI" in page
    for model in http.get(f"/models/{outcome}", headers={"Accept": "application/json"}).get_json()["models"]:
        assert len(model["tripodAi"]) == 52
        assert all(item["told"] for item in model["tripodAi"])
        assert page.count(f"{model['tripodAi'][0]['number']}. {model['tripodAi'][0]['asks']}") >= 1


def test_what_is_assumed_of_an_operation_is_marked_where_the_model_grades_it(http: FlaskClient) -> None:
    """SORT's severity from the order's code alone is an assumption for some groups."""
    page = http.get("/models/30-day-death", headers={"Accept": "text/html,*/*;q=0.8"}).text
    assert "What is assumed of the operation" in page
    for group in GROUPS.values():
        assert not group.assumption or html.escape(group.assumption.rstrip("."), quote=False) in html.unescape(page), (
            group.name
        )
    listed = page.split("What is assumed of the operation")[1].split("</section>")[0]
    assert "(assumption)" in listed
    assert "SORT grades gastric bypass" not in listed  # not graded at all, and told as that
