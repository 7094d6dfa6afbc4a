"""What a List names and what did not come with it, by references of every form (messy case 40)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fhir_mappings.fhir.lists import not_sent
from fhir_mappings.fhir.resources import Observation
from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import PATIENT_ID, a_condition, an_observation, as_json, derived

MASKED = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
CAME = a_condition(id="c-1")


def a_list(*items: Any, **members: Any) -> dict[str, Any]:
    return {"resourceType": "List", "status": "current", "entry": [{"item": item} for item in items], **members}


@pytest.mark.parametrize(
    ("reference", "absent"),
    [
        ("Condition/c-1", 0),
        ("https://ehr.example/fhir/Condition/c-1/_history/3", 0),
        ("Condition/c-2", 1),
        ("https://ehr.example/fhir/Condition/c-2", 1),
        ("#inside", 1),
        ("Procedure/c-2", 0),  # of another list
        ("Procedure?identifier=7", 0),
        ("List/l-2", 1),
        ("Condition?identifier=7", 1),
        ("https://ehr.example/fhir/Condition?identifier=7", 1),
        ("urn:uuid:c-1", 0),
        ("urn:uuid:c-2", 1),
        ("c-1", 1),
        ("https://ehr.example/c-1", 1),
        ("Condition", 1),
        ("", 1),
        (7, 1),
    ],
)
def test_a_reference_is_of_what_came_or_not(reference: Any, absent: int) -> None:
    assert not_sent("conditions", as_json([CAME, a_list({"reference": reference})])) == absent


def test_an_entry_named_twice_is_one_and_one_that_cannot_be_read_came() -> None:
    unreadable = a_condition(id="c-2", code=7)
    named = a_list({"reference": "Condition/c-2"}, {"reference": "Condition/c-3"}, {"reference": "Condition/c-3"})
    assert not_sent("conditions", as_json([CAME, unreadable, named])) == 1
    assert not_sent("patient", as_json([CAME, named])) == 0


@pytest.mark.parametrize(
    ("item", "absent"),
    [
        ({"display": "Insulin glargine"}, 1),
        ({"type": "Condition", "identifier": {"value": "7"}}, 1),
        ({"type": "http://hl7.org/fhir/StructureDefinition/Condition", "display": "COPD"}, 1),
        ({"type": "Procedure", "identifier": {"value": "7"}}, 0),  # of another list
        ({"type": ["Procedure"]}, 1),
        ({"extension": [{"url": MASKED, "valueCode": "masked"}]}, 1),
        ({"_reference": {"extension": [{"url": MASKED, "valueCode": "masked"}]}}, 1),
        ({}, 1),
    ],
)
def test_an_item_without_a_reference_did_not_come(item: Any, absent: int) -> None:
    assert not_sent("conditions", as_json([CAME, a_list(item, item)])) == 2 * absent


@pytest.mark.parametrize(("entries", "absent"), [("x", 1), ([7], 1), ([{"item": 7}], 1), ([{}], 1), (None, 0), ([], 0)])
def test_an_entry_of_no_form_did_not_come(entries: Any, absent: int) -> None:
    assert not_sent("conditions", as_json([CAME, a_list(entry=entries)])) == absent


@pytest.mark.parametrize(
    "kind", ["MedicationRequest", "MedicationStatement", "MedicationDispense", "MedicationAdministration"]
)
def test_a_list_of_medicines_names_them_in_each_form(kind: str) -> None:
    came = {"resourceType": kind, "id": "m-1"}
    named = a_list(*({"reference": f"{kind}/{one}"} for one in ("m-1", "m-2")))
    assert not_sent("medications", as_json([came, named])) == 1


def test_a_medication_that_a_list_names_is_not_known_to_be_taken() -> None:
    drug = {"resourceType": "Medication", "id": "d-1"}
    sent = as_json([drug, a_list({"reference": "Medication/d-1"}, {"reference": "urn:uuid:d"})])
    assert not_sent("medications", sent, [("urn:uuid:d", sent[0])]) == 2


def test_what_the_bundle_gives_a_name_came_by_it() -> None:
    sent = as_json([CAME, a_list({"reference": "urn:uuid:a"}, {"reference": "urn:uuid:b"})])
    assert not_sent("conditions", sent, [("urn:uuid:a", sent[0])]) == 1


def test_a_list_that_came_is_read_itself() -> None:
    inner = a_list({"reference": "Condition/c-1"}, {"display": "COPD"}, id="inner")
    assert not_sent("conditions", as_json([CAME, a_list({"reference": "List/inner"}), inner])) == 1


def test_what_came_under_another_key_is_not_gone_however_it_was_read() -> None:
    named = as_json([a_list({"reference": "Observation/o-1"}, {"reference": "Observation/o-2"})])
    raw = as_json([an_observation(id="o-1"), an_observation(id="o-2")])
    assert not_sent("labs", named) == 2
    assert not_sent("labs", named, (), [SearchResult(resources=raw[:1])]) == 1
    decoded = tuple(msgspec.json.decode(one, type=Observation) for one in raw)
    assert not_sent("labs", named, (), [SearchResult(decoded=decoded), SearchResult(failure="fetch-failed")]) == 0


@pytest.mark.parametrize("key", ["labs", "observations"])
def test_a_list_of_results_under_either_key_leaves_nothing_open_that_came_under_the_other(key: str) -> None:
    sent = {"labs": an_observation(id="hb"), "observations": an_observation("39156-5", 27.1, "kg/m2", id="bmi")}
    items = [{"reference": f"Observation/{one['id']}"} for one in sent.values()]
    for absent, reason in (([], "never-recorded"), ([{"reference": "Observation/gone"}], "not-understood")):
        listed = [sent[key], a_list(*items, *absent, subject={"reference": f"Patient/{PATIENT_ID}"})]
        under: dict[str, Any] = {key: SearchResult(resources=as_json(listed))}
        found = derived(*sent.values(), **under)
        assert found["albumin"].reason == reason
