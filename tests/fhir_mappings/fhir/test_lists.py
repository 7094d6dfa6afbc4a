"""What a List names and what did not come with it, by references of every form (messy case 40)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fhir_mappings.fhir.lists import not_sent
from fhir_mappings.fhir.resources import Observation
from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import PATIENT_ID, a_condition, an_observation, as_json, derived

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
        ("Condition", 0),
        ("", 0),
        (7, 0),
    ],
)
def test_a_reference_is_of_what_came_or_not(reference: Any, absent: int) -> None:
    assert not_sent("conditions", as_json([CAME, a_list({"reference": reference})])) == absent


def test_an_entry_named_twice_is_one_and_one_that_cannot_be_read_came() -> None:
    unreadable = a_condition(id="c-2", code=7)
    named = a_list({"reference": "Condition/c-2"}, {"reference": "Condition/c-3"}, {"reference": "Condition/c-3"})
    assert not_sent("conditions", as_json([CAME, unreadable, named])) == 1
    assert not_sent("patient", as_json([CAME, named])) == 0


def test_what_came_under_another_key_is_not_gone_however_it_was_read() -> None:
    named = as_json([a_list({"reference": "Observation/o-1"}, {"reference": "Observation/o-2"})])
    raw = as_json([an_observation(id="o-1"), an_observation(id="o-2")])
    assert not_sent("labs", named) == 2
    assert not_sent("labs", named, [SearchResult(resources=raw[:1])]) == 1
    decoded = tuple(msgspec.json.decode(one, type=Observation) for one in raw)
    assert not_sent("labs", named, [SearchResult(decoded=decoded), SearchResult(failure="fetch-failed")]) == 0


@pytest.mark.parametrize("key", ["labs", "observations"])
def test_a_list_of_results_under_either_key_leaves_nothing_open_that_came_under_the_other(key: str) -> None:
    sent = {"labs": an_observation(id="hb"), "observations": an_observation("39156-5", 27.1, "kg/m2", id="bmi")}
    items = [{"reference": f"Observation/{one['id']}"} for one in sent.values()]
    for absent, reason in (([], "never-recorded"), ([{"reference": "Observation/gone"}], "not-understood")):
        listed = [sent[key], a_list(*items, *absent, subject={"reference": f"Patient/{PATIENT_ID}"})]
        under: dict[str, Any] = {key: SearchResult(resources=as_json(listed))}
        found = derived(*sent.values(), **under)
        assert found["albumin"].reason == reason


@pytest.mark.parametrize("entries", ["x", [7], [{"item": 7}], None])
def test_entries_of_no_form_name_nothing(entries: Any) -> None:
    assert not_sent("conditions", as_json([CAME, a_list(entry=entries)])) == 0
