"""`/evidence` shows every row with its source, what about operations is assumed, and what is not carried out."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from cds_service.advice.catalogue import Row, parts
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.not_coded import NOT_CODED
from cds_service.advice.operation_attributes import OPERATIONS
from cds_service.pages import trigger_words
from cds_service.pages.citations import linked
from cds_service.pages.trigger_words import Told
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


def every_text(told: Told) -> list[str]:
    return [told.text, *(text for part in told.parts for text in every_text(part))]


@pytest.mark.parametrize("row", CATALOGUE.rows, ids=lambda row: row.id)
def test_the_whole_trigger_and_its_unless_stand_in_words(row: Row, page: str) -> None:
    article = html.unescape(page.partition(f'id="{row.id}"')[2].partition("</article>")[0])
    for trigger in (row.trigger, row.unless):
        if trigger is None:
            assert "But not where" not in article
            continue
        texts = every_text(trigger_words.in_words(trigger))
        assert len(texts) == len(list(parts(trigger)))
        assert [text for text in texts if text not in article] == []
        assert not [text for text in texts if "_" in text or "None" in text or "True" in text]
        limits = {limit for part in parts(trigger) for limit in (part.above, part.at_least, part.below) if limit}
        assert [limit for limit in limits if not any(f"{limit:g}" in text for text in texts)] == []


@pytest.mark.parametrize("row", CATALOGUE.rows, ids=lambda row: row.id)
def test_a_citation_is_linked_and_reads_as_it_was(row: Row) -> None:
    told = str(linked(row.citation))
    assert html.unescape(re.sub(r"<[^>]*>", "", told)) == row.citation
    assert ("<a href=" in told) == (row.grade != "local")


@pytest.mark.parametrize("row", [row for row in CATALOGUE.rows if row.elsewhere], ids=lambda row: row.id)
def test_the_evidence_elsewhere_than_at_the_spine_stands_beside_it(row: Row, page: str) -> None:
    article = html.unescape(page.partition(f'id="{row.id}"')[2].partition("</article>")[0])
    assert row.elsewhere is not None
    assert row.elsewhere.evidence in article
    assert row.elsewhere.citation in html.unescape(re.sub(r"<[^>]*>", "", article))


def test_a_link_leads_to_the_work_that_is_cited() -> None:
    assert 'href="https://pmc.ncbi.nlm.nih.gov/articles/PMC9994846/"' in linked("ICCAMS 2022, PMC9994846")
    assert "term=Ann+Surg%5Bjournal%5D+AND+2016%5Bpdat%5D+AND+264%5Bvolume%5D+AND+889%5Bpage%5D" in linked(
        "Sacks GD et al. Ann Surg 2016;264:889-895 (randomised)"
    )
    assert "<script" not in linked("<script>PMC9994846")


def test_the_same_as_data(http: FlaskClient) -> None:
    told = http.get("/evidence", headers={"Accept": "application/json"}).json or {}
    assert {one["row"] for one in told["suggestions"]} == {row.number for row in CATALOGUE.rows}
    assert told["operations"]["attributes"]["blood-loss"]["standing"] == "assumed"
    (kidney,) = [one for one in told["suggestions"] if one["id"] == "kidney-note"]
    assert kidney["unless"] == {"feature": "dialysis", "is": True}
    assert kidney["inWords"]["unless"]["text"] == "dialysis"
    assert len(told["notCarriedOut"]) == len(NOT_CODED)
