"""`/evidence` shows every row with its source, what about operations is assumed, and what is not carried out."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.advice.choice import CATALOGUE
from cds_service.advice.not_coded import NOT_CODED
from cds_service.advice.operation_attributes import OPERATIONS
from tests.conformance.conftest import an_app


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return an_app(tmp_path_factory.mktemp("evidence"), demo=True).test_client()


@pytest.fixture
def page(http: FlaskClient) -> str:
    response = http.get("/evidence", headers={"Accept": "text/html"})
    assert response.status_code == 200
    return response.get_data(as_text=True)


def test_every_row_has_its_article(page: str) -> None:
    assert [row.id for row in CATALOGUE.rows if f'id="{row.id}"' not in page] == []


def test_what_is_assumed_about_operations_is_marked(page: str) -> None:
    assumed = [name for name, meaning in OPERATIONS.attributes.items() if meaning.standing == "assumed"]
    assert page.count('<span class="mark">assumed</span>') == len(assumed) == 3
    assert "Halvorsen S et al. 2022 ESC Guidelines" in page
    assert "cardiac surgery, outside the guideline" in page


def test_what_is_not_carried_out_is_said(page: str) -> None:
    assert [one.row for one in NOT_CODED if f"Row {one.row}: " not in page] == []


def test_the_same_as_data(http: FlaskClient) -> None:
    told = http.get("/evidence", headers={"Accept": "application/json"}).json or {}
    assert {one["row"] for one in told["suggestions"]} == {row.number for row in CATALOGUE.rows}
    assert told["operations"]["attributes"]["blood-loss"]["standing"] == "assumed"
    assert len(told["notCarriedOut"]) == len(NOT_CODED)
