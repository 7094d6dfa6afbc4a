"""What a List names and what did not come with it, by references of every form (messy case 40)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.lists import not_sent
from tests.builders import a_condition, as_json

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


@pytest.mark.parametrize("entries", ["x", [7], [{"item": 7}], None])
def test_entries_of_no_form_name_nothing(entries: Any) -> None:
    assert not_sent("conditions", as_json([CAME, a_list(entry=entries)])) == 0
