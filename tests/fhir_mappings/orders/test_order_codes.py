"""A site's map tells by which code it orders; a map that cannot be right stops the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.orders import order_codes
from fhir_mappings.orders.draft_orders import OrderCode
from fhir_mappings.orders.order_codes import DEMONSTRATION, OrderCodeError, OrderCodes

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


def a_file(path: Path, **members: Any) -> Path:
    document = {"resourceType": "ConceptMap", "group": [{"source": LOINC, "target": EPIC, "element": []}]}
    path.write_text(json.dumps(document | members))
    return path


def a_row(code: str, target: str, **members: Any) -> dict[str, Any]:
    return {"code": code, "target": [{"code": target, "equivalence": "equal"} | members]}


def a_group(*elements: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
    return [{"source": LOINC, "target": EPIC, "element": list(elements)} | members]


def every_shipped_code() -> list[str]:
    document = json.loads(DEMONSTRATION.read_text(encoding="utf-8"))
    return [element["code"] for group in document["group"] if group["source"] == LOINC for element in group["element"]]


def test_DEC_41_a_sites_order_map_adds_to_every_code_that_is_shipped(tmp_path: Path) -> None:
    own = a_map(tmp_path / "own.json", {"code": "LAB90", "equivalence": "equal"})
    codes, shipped = order_codes.load([own], shipped=[DEMONSTRATION]), order_codes.load([DEMONSTRATION])
    for code in set(every_shipped_code()) - {"4548-4"}:
        assert codes.find(LOINC, code) == shipped.find(LOINC, code) is not None
    assert codes.find(LOINC, "4548-4") == OrderCode(EPIC, "LAB90", None), "an order needs one code: the site's"


def test_DEC_41_an_order_map_replaces_only_where_it_says_so(tmp_path: Path) -> None:
    own = a_file(tmp_path / "own.json", group=a_group(a_row("4548-4", "LAB90")), replaces=True)
    codes = order_codes.load([own], shipped=[DEMONSTRATION])
    assert codes.find(LOINC, "4548-4") is not None
    assert [code for code in every_shipped_code() if codes.find(LOINC, code)] == ["4548-4"]


def test_what_the_site_says_it_cannot_order_has_no_shipped_code_either(tmp_path: Path) -> None:
    nothing = {"code": "4548-4", "target": [{"equivalence": "unmatched"}]}
    own = a_file(tmp_path / "own.json", group=a_group(nothing))
    assert order_codes.load([own], shipped=[DEMONSTRATION]).find(LOINC, "4548-4") is None


def test_codes_that_are_not_named_are_ordered_as_they_are_where_the_map_says_so(tmp_path: Path) -> None:
    own = a_file(tmp_path / "own.json", group=a_group(a_row("4548-4", "LAB90"), unmapped={"mode": "provided"}))
    codes = order_codes.load([own], shipped=[DEMONSTRATION])
    assert codes.find(LOINC, "2276-4") == OrderCode(EPIC, "2276-4", None)
    assert codes.find(LOINC, "4548-4") == OrderCode(EPIC, "LAB90", None)
    assert codes.find("http://snomed.info/sct", "1") is None


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"group": a_group(unmapped={"mode": "fixed", "code": "LAB1"})}, "fixed: one order cannot be for every test"),
        ({"group": a_group(unmapped={"mode": "other-map", "url": "urn:other"})}, "urn:other: add that file"),
        ({"group": a_group({"code": "4548-4"})}, "4548-4 has no target yet"),
        ({"group": a_group(a_row("4548-4", "LAB90", equivalence=""))}, "4548-4: a target has no equivalence"),
        ({"group": a_group(a_row("4548-4", "LAB90", dependsOn=[{"property": "p"}]))}, "4548-4: dependsOn"),
    ],
)
def test_a_map_that_is_only_half_understood_is_refused_by_file_and_code(
    tmp_path: Path, members: dict[str, Any], why: str
) -> None:
    with pytest.raises(OrderCodeError, match=rf"own\.json: .*{why}"):
        order_codes.load([a_file(tmp_path / "own.json", **members)])
