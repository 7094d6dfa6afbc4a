"""Words that a person reads: no absence is told as a fact, no word of comparison of more than it holds for."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from cds_service.advice.bands import BAND_NAMES
from cds_service.cards import discrete
from cds_service.pages import result
from cds_service.pages.words import BAND_WORDS, label
from cds_service.smart import view
from fhir_mappings.features.features import FEATURES
from models_onnx import registry
from models_onnx.documents import tripod
from tests import builders
from tests.cds_service.advice import people
from tests.conformance.conftest import an_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return an_app(tmp_path_factory.mktemp("pages"), demo=True).test_client()


def rows(*resources: builders.Resource) -> result.ResultRows:
    return result.result_rows(discrete.result(people.assessed(builders.a_record(*resources))), builders.ZONE)


def test_a_grade_that_no_search_found_is_none_recorded_like_every_other_diagnosis() -> None:
    """ "Liver disease: none" would be a fact; nobody said so."""
    told = {row.code: row.value for row in rows(people.asa(3)).used}
    graded = [name for name in told if "none" in FEATURES[name].categories]
    assert "charlson_liver_disease" in graded
    assert {told[name] for name in graded} == {"none recorded"}


def test_what_no_search_found_is_none_found_and_never_recorded_is_said_of_nothing() -> None:
    notes = {row.code: row.note for row in rows(people.asa(3)).unused}
    assert notes["hba1c"] == "none found"
    assert not [name for name, note in notes.items() if "never recorded" in note]


def test_words_of_a_gap_stand_beside_both_ends_of_what_is_possible() -> None:
    """ "157 to 273 (above usual)" beside a usual figure of 180 would be read of the whole range (DEC-38)."""
    assessment = people.assessed(
        builders.a_record(people.result("2160-0", 0.9, "mg/dL"), people.function("INDEPENDENT"))
    )
    effects = {one.outcome: one for missing in view._missing(assessment, 1000) for one in missing.effects}
    assert effects
    for told in effects.values():
        ends = [BAND_WORDS[name] for name in BAND_NAMES]
        assert (
            told.bands == ""
            or told.bands in ends
            or re.fullmatch(rf"({'|'.join(ends)}) to ({'|'.join(ends)})", told.bands)
        )
    assert " to " in effects["Death within 30 days"].bands


def test_two_published_rates_of_one_score_say_what_they_count() -> None:
    found = rows(people.asa(3), people.result("2160-0", 0.9, "mg/dL"))
    rates = next(one.rates for one in (*found.told, *found.others) if one.model == "rcri")
    assert rates[0].startswith("CCS 2017 (heart attack, cardiac arrest or death, 30 days): ")
    assert rates[1].startswith("Lee 1999 validation (major heart complication, in hospital): ")


def test_what_a_score_needs_is_told_within_a_sentence() -> None:
    needed = [one.answer for one in rows(people.asa(3)).others if "needs" in one.answer]
    assert needed
    for words in needed:
        assert not re.search(r"needs [A-Z][a-z]", words), words


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_an_abbreviation_keeps_its_capitals(name: str) -> None:
    assert not re.search(r"\b(Hiv|hiv|Bmi|Egfr|EGFR|Asa|Copd|Inr)\b", label(name))


@pytest.mark.parametrize("card", registry.load().cards, ids=lambda card: card.name)
def test_the_report_of_a_model_names_its_inputs_in_words(card: registry.ModelCard) -> None:
    asked = ("purpose.intended_use", "purpose.users", "fairness.approach", "fairness.mitigation")
    attributes = dict.fromkeys((*asked, "details.output_value", "details.funding"), "-")
    told = {one.number: one.told for one in tripod.items(card, attributes)}
    assert not re.search(r"\(1\)|\.;|\.\.", told["9b"]), told["9b"]
    assert not [one.name for one in card.inputs if "_" in one.name and one.name in told["9b"]]


@pytest.mark.parametrize("path", ["/models/30-day-death", "/models/any-complication", "/models/comorbidity-burden"])
def test_no_sentence_of_a_model_page_ends_twice(http: FlaskClient, path: str) -> None:
    page = re.sub(r"<[^>]*>", " ", http.get(path, headers=BROWSER).text)
    assert not re.findall(r"\w+\.[:;]\s.{20}", page)


@pytest.mark.parametrize("path", ["/models", "/models/30-day-death", "/evidence", "/irm", "/codes/topic", "/sandbox"])
def test_every_page_of_the_demo_leads_back_to_its_start(http: FlaskClient, path: str) -> None:
    assert '<a href="/">Workbench</a>' in http.get(path, headers=BROWSER).text


@pytest.mark.parametrize("path", ["/nothing", "/models/nothing", "/models/added/nothing", "/demo/during/nothing"])
def test_a_person_who_opens_what_is_not_there_reads_a_page_with_a_way_on(http: FlaskClient, path: str) -> None:
    page = http.get(path, headers=BROWSER)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is no such page" in page.text
    assert '<nav aria-label="Pages">' in page.text
    assert http.get(path).get_json()["resourceType"] == "OperationOutcome"


def test_a_hook_call_that_fails_is_an_operation_outcome_whatever_it_accepts(http: FlaskClient) -> None:
    answer = http.post(
        "/cds-services/surgical-risk", data="no JSON", headers=BROWSER | {"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome")
