"""Each threat of docs/threat-model.md is shown to be held by a test that exists; all six kinds are thought of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([A-Z]\d+) ([^|]+) \| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
ROWS = {number: (threat, held, test.strip()) for number, threat, held, test in ROW.findall(PAGE)}
KINDS = (
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
)


@pytest.mark.parametrize("number", ROWS)
def test_the_test_that_shows_it_exists(number: str) -> None:
    named = re.fullmatch(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", ROWS[number][2])
    assert named, f"{number} names no test"
    text = (ROOT / named[1]).read_text(encoding="utf-8")
    wanted = named[2] or r"test_\w+"
    assert re.search(rf"^def {wanted}\(", text, re.MULTILINE), f"{named[2]} is not there"


def test_all_six_kinds_have_rows_numbered_in_order() -> None:
    for kind in KINDS:
        section = PAGE.split(f"## {kind}")[1].split("\n## ")[0]
        numbers = [number for number, *_ in ROW.findall(section)]
        assert numbers == [f"{kind[0]}{place}" for place in range(1, len(numbers) + 1)], kind
        assert numbers, kind
    assert len(ROWS) == len(ROW.findall(PAGE))


def test_every_row_of_the_tables_is_read_by_this_test() -> None:
    lines = re.findall(r"^\| [A-Z]\d+ ", PAGE, re.MULTILINE)
    assert len(lines) == len(ROWS)


def test_every_boundary_of_the_picture_is_explained() -> None:
    picture, explained = PAGE.split("```")[1], PAGE.split("```")[2].split("\n## ")[0]
    for sign in "①②③④⑤⑥⑦":
        assert sign in picture
        assert f"| {sign} " in explained
