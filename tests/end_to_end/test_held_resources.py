"""What the product holds as FHIR — invented people, value sets, concept maps, a store's answers — is valid for HAPI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

import fhir_mappings
from tests.end_to_end import people
from tests.end_to_end.test_validate import complaints

pytestmark = pytest.mark.end_to_end
MAPPINGS = Path(fhir_mappings.__file__).parent / "terminology"


def test_hapi_tells_what_is_wrong_with_a_resource(hapi: str) -> None:
    """The check itself can fail: a status that R4 does not know."""
    (told,) = complaints(hapi, {"resourceType": "Observation", "status": "done", "code": {"text": "x"}})
    assert "done" in told


def test_the_demo_patients_are_valid(hapi: str) -> None:
    held = people.everything(people.demo_people())
    assert {resource["id"]: told for resource in held if (told := complaints(hapi, resource))} == {}


@pytest.mark.parametrize(
    "path", ["metadata", "Patient?_count=3", "Observation?patient=demo-fusion&_sort=-date&_count=5", "Patient/nobody"]
)
def test_what_the_demo_store_answers_is_valid(hapi: str, store: str, path: str) -> None:
    assert complaints(hapi, requests.get(f"{store}/{path}", timeout=30).json()) == []


@pytest.mark.parametrize("folder", ["value_sets", "concept_maps"])
def test_the_terminology_files_are_valid(hapi: str, folder: str) -> None:
    files = sorted((MAPPINGS / folder).glob("*.json"))
    assert files
    resources = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}
    assert {name: told for name, resource in resources.items() if (told := complaints(hapi, resource))} == {}
