"""docs/conformance.md says what the tests say, and no item is without a test or a reason."""

import re

import pytest

from tests.conformance import table


def test_the_page_is_what_the_tests_make_of_it():
    assert table.DOCUMENT.read_text(encoding="utf-8") == table.document(), "run: python -m tests.conformance.table"


def test_every_item_has_a_test_or_a_reason():
    named = table.tests()
    assert [item["id"] for item in table.items() if not named.get(item["id"]) and not item.get("reason")] == []


def test_no_shall_is_unmet():
    named = table.tests()
    unmet = [
        item["id"] for item in table.items() if table.status(item, named) == "not met" and item["level"] == "SHALL"
    ]
    assert unmet == []


@pytest.mark.shared
def test_the_items_are_those_of_the_checklist(shared):
    text = (shared / "cds-hooks" / "checklist.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z]-\d\d) \| (\w+) \|", text, re.MULTILINE)
    assert [(item["id"], item["level"]) for item in table.items()] == listed
