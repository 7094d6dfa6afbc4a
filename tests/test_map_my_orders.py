"""docs/map-my-orders.md, done as it is written against two services that run."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from fhir_mappings.terminology.code_systems import CPT, ICD_10_PCS
from tests.as_written import Reader, blocks


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader("map-my-orders.md", tmp_path_factory.mktemp("reader"))
    with reader.follows():
        yield reader


def shown(reader: Reader, words: str) -> str:
    (found,) = [block.text for block in blocks(reader.page) if block.kind == "text" and words in block.text]
    return found


def test_the_template_says_what_the_page_says(done: Reader) -> None:
    assert done.told("cat > orders.ndjson").everything == shown(done, "to map by 3 codes")


def test_once_filled_in_nothing_is_left_to_map(done: Reader) -> None:
    told = done.told("--map tenants/order-codes.json").everything
    assert "FAIL" not in told
    assert "4 understood, 1 no operations, 0 to map by 0 codes" in told
    assert json.loads((done.folder / "rest.json").read_text())["group"] == []


def test_the_map_of_the_page_names_each_code_of_its_template(done: Reader) -> None:
    filled = json.loads((done.folder / "tenants" / "order-codes.json").read_text())
    named = {(group["source"], one["code"]) for group in filled["group"] for one in group["element"]}
    orders = [json.loads(line) for line in (done.folder / "orders.ndjson").read_text().splitlines()]
    ordered = {(one["system"], one["code"]) for order in orders for one in order["code"]["coding"]}
    assert named == {one for one in ordered if one[0] != ICD_10_PCS}
    assert CPT in {system for system, _ in named}


def test_the_sites_own_code_gets_a_card_and_one_that_is_not_mapped_its_reason(done: Reader) -> None:
    assert "after knee replacement" in done.told("call demo-hip OR-1234").output
    unmapped = done.told("call demo-hip OR-5678").output
    assert "The order's code is in no procedure group" in unmapped
    assert "after" not in unmapped


def test_what_was_missed_is_listed(done: Reader) -> None:
    """The record is written behind the answer's back: a moment later."""
    told = done.runs("cds-service codes unmapped example", until="OR-5678")
    assert told.output == shown(done, "OR-5678")
