"""A medicine is found by the name its Bundle gives it; one that did not come is named for a read on its own server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from fhir_mappings.fhir.decode_resources import WrongPatientError
from fhir_mappings.fhir.references import named_medications, unresolved_medications
from fhir_mappings.fhir.search_result import SearchResult
from tests.builders import RXNORM, a_medication_request, a_patient, an_observation, as_json, coded, derived

BASE = "https://fhir.hospital.example/r4"
APIXABAN = {"resourceType": "Medication", "code": coded((RXNORM, "1364430"))}
NAME = "urn:uuid:5c1a4a2e-0b0a-4b7e-9a6d-1f2e3d4c5b6a"


def by_reference(reference: str, **members: Any) -> dict[str, Any]:
    return a_medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": reference}, **{"id": "m-1"} | members
    )


def taken(*resources: dict[str, Any], named: tuple[tuple[str, Raw], ...] = ()) -> Any:
    found = SearchResult(resources=as_json(resources), named=named)
    return derived(a_patient(), medications=found)["anticoagulant"]


def test_a_medicine_is_found_by_the_name_that_its_bundle_gives_it() -> None:
    named = ((NAME, as_json([APIXABAN])[0]),)
    assert taken(by_reference(NAME), APIXABAN, named=named).value is True
    assert taken(by_reference(NAME), APIXABAN).reason == "not-understood"


def test_a_name_of_something_else_is_no_medicine() -> None:
    named = ((NAME, Raw(json.dumps(a_patient()).encode())), ("urn:uuid:x", Raw(b"{broken")))
    assert named_medications([SearchResult(named=named)]) == {}
    assert taken(by_reference(NAME), named=named).reason == "not-understood"


@pytest.mark.parametrize(
    ("reference", "members", "wanted"),
    [
        ("Medication/a", {}, ("Medication/a",)),
        (f"{BASE}/Medication/a", {}, ("Medication/a",)),
        ("Medication/a/_history/2", {}, ("Medication/a",)),
        ("https://elsewhere.example/r4/Medication/a", {}, ()),
        ("#a", {}, ()),
        (NAME, {}, ()),
        ("Medication/../Patient/1", {}, ()),
        ("Medication/a?_format=xml", {}, ()),
        ("Medication/", {}, ()),
        ("Medication/here", {}, ()),
        ("Medication/a", {"status": "stopped"}, ()),
    ],
)
def test_what_is_to_be_read_is_a_medicine_of_this_server_that_did_not_come(
    reference: str, members: dict[str, Any], wanted: tuple[str, ...]
) -> None:
    came = SearchResult(resources=as_json([by_reference(reference, **members), {**APIXABAN, "id": "here"}]))
    assert unresolved_medications(came, BASE + "/") == wanted


def test_a_medicine_named_twice_is_read_once() -> None:
    twice = SearchResult(resources=as_json([by_reference("Medication/a"), by_reference("Medication/a", id="m-2")]))
    assert unresolved_medications(twice, BASE) == ("Medication/a",)


def test_an_identifier_alone_is_not_followed_and_the_class_stays_unknown() -> None:
    request = a_medication_request(medicationCodeableConcept=None, medicationReference={"identifier": {"value": "7"}})
    assert unresolved_medications(SearchResult(resources=as_json([request])), BASE) == ()
    assert taken(request).reason == "not-understood"


@pytest.mark.parametrize(("who", "problem"), [("pt-1", None), ("somebody-else", WrongPatientError)])
def test_a_subject_by_the_name_of_its_bundle_is_the_patient_so_named(who: str, problem: type | None) -> None:
    person = as_json([a_patient(id=who)])[0]
    result = an_observation(subject={"reference": NAME})
    found = SearchResult(resources=as_json([result]), named=((NAME, person),))
    if problem:
        with pytest.raises(problem):
            derived(a_patient(), labs=found)
    else:
        assert derived(a_patient(), labs=found)["creatinine"].value == 1.1


def test_a_name_that_the_bundle_does_not_give_is_nobody() -> None:
    found = SearchResult(resources=as_json([an_observation(subject={"reference": NAME})]))
    assert derived(a_patient(), labs=found)["creatinine"].reason == "unreadable"
