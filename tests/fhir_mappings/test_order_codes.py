"""A site's map tells by which code it orders; a map that cannot be right stops the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings import order_codes
from fhir_mappings.draft_orders import OrderCode
from fhir_mappings.order_codes import DEMONSTRATION, OrderCodeError, OrderCodes

LOINC = "http://loinc.org"
EPIC = "urn:com.epic.cdshooks.action.code.system.preference-list-item"


def a_map(path: Path, *targets: dict[str, Any]) -> Path:
    element = {"code": "4548-4", "target": list(targets)}
    group = {"source": LOINC, "target": EPIC, "element": [element]}
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": [group]}))
    return path


def test_a_standard_code_becomes_the_code_of_the_site(tmp_path: Path) -> None:
    path = a_map(tmp_path / "orders.json", {"code": "LAB90", "display": "HbA1c", "equivalence": "equivalent"})
    assert order_codes.load([path]).find(LOINC, "4548-4") == OrderCode(EPIC, "LAB90", "HbA1c")


def test_a_code_that_is_not_mapped_has_no_order() -> None:
    assert OrderCodes().find(LOINC, "4548-4") is None


def test_an_order_that_is_wider_than_what_was_meant_is_not_taken(tmp_path: Path) -> None:
    path = a_map(tmp_path / "orders.json", {"code": "PANEL", "equivalence": "wider"})
    assert order_codes.load([path]).find(LOINC, "4548-4") is None


def test_two_targets_for_one_order_stop_the_start(tmp_path: Path) -> None:
    one, other = {"code": "A", "equivalence": "equal"}, {"code": "B", "equivalence": "equal"}
    with pytest.raises(OrderCodeError, match="4548-4 has 2 targets"):
        order_codes.load([a_map(tmp_path / "orders.json", one, other)])


def test_two_files_that_disagree_stop_the_start(tmp_path: Path) -> None:
    first = a_map(tmp_path / "a.json", {"code": "A", "equivalence": "equal"})
    second = a_map(tmp_path / "b.json", {"code": "B", "equivalence": "equal"})
    with pytest.raises(OrderCodeError, match=r"b\.json.*mapped twice"):
        order_codes.load([first, second])


@pytest.mark.parametrize("content", ["{", "[]", '{"resourceType": "ValueSet"}', '{"resourceType": "ConceptMap"}'])
def test_a_file_that_is_no_concept_map_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(OrderCodeError, match=r"broken\.json"):
        order_codes.load([path])


def test_the_demonstration_orders_by_the_standard_codes() -> None:
    found = order_codes.load([DEMONSTRATION]).find(LOINC, "2276-4")
    assert found is not None
    assert (found.system, found.code) == (LOINC, "2276-4")
