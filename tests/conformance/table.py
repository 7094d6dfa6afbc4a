"""Makes docs/conformance.md from items.yaml and the names of the tests: `python -m tests.conformance.table`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
_TEST = re.compile(r"def (test_((?:[A-Z]_\d\d_)+)\w+)")
_HEAD = """\
# Conformance with CDS Hooks

Target: CDS Hooks 2.0.1; items of the 3.0 ballot (3.0b) are opt-in, except OperationOutcome bodies. This page is made by
`python -m tests.conformance.table` from the names of the tests, and a test keeps it true. SHALL, SHOULD and MAY are the
standard's; POLICY is this project's own decision where the standard is silent, and no claim of conformance.

"""


def items() -> list[dict[str, Any]]:
    """The checklist, in order."""
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/conformance/items.yaml").read_text(encoding="utf-8"))
    return found


def tests() -> dict[str, list[str]]:
    """For each item the tests whose names bear its id."""
    named: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, ids in _TEST.findall(path.read_text(encoding="utf-8")):
            for letter, number in re.findall(r"([A-Z])_(\d\d)_", ids):
                named.setdefault(f"{letter}-{number}", []).append(f"{path.relative_to(ROOT / 'tests')}::{name}")
    return named


def document() -> str:
    """The whole page."""
    named = tests()
    return _HEAD + _counts(named) + "\n".join(_lines(named)) + "\n"


def status(item: dict[str, Any], named: dict[str, list[str]]) -> str:
    """Met where a test says so; else what the item's own line says."""
    return item.get("status", "met" if named.get(item["id"]) else "not met")


def _counts(named: dict[str, list[str]]) -> str:
    counted: dict[str, int] = {}
    for item in items():
        counted[status(item, named)] = counted.get(status(item, named), 0) + 1
    return "Of 194 items: " + ", ".join(f"{number} {name}" for name, number in sorted(counted.items())) + ".\n"


def _lines(named: dict[str, list[str]]) -> Iterator[str]:
    section = ""
    for item in items():
        if item["section"] != section:
            section = item["section"]
            yield f"\n## {section}\n"
            yield "| item | level | versions | asks | status | test or reason |\n|---|---|---|---|---|---|"
        proof = [f"`{name}`" for name in named.get(item["id"], [])[:3]]
        told = "<br>".join([*proof, *([item["reason"]] if "reason" in item else [])])
        asks = item["asks"].replace("|", "\\|")
        yield f"| {item['id']} | {item['level']} | {item['versions']} | {asks} | {status(item, named)} | {told} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
