"""Every id resolves: to a heading in docs/decisions or a row of a table made from data; no entry rests on nothing."""

from __future__ import annotations

import re

import pytest

from tests import references

TEXTS = dict(references.read())
NAMED = {name: references.named(text) for name, text in TEXTS.items()}
TOLD = references.headings()
_DEF = "def test"  # apart, or the page of conformance would count these as tests
_IN = (references.ROOT / "docs", references.ROOT / ".github", references.ROOT / "deploy")
PAPERS = {path.relative_to(references.ROOT).as_posix() for folder in _IN for path in folder.rglob("*.md")} | {
    "README.md"
}


def test_every_id_is_told() -> None:
    known = {*TOLD, *references.table_rows()}
    lost = {f"{name}: {one}" for name, ids in NAMED.items() for one in ids - known}
    assert not lost, sorted(lost)


def test_every_entry_is_used() -> None:
    used = set().union(*NAMED.values())
    assert not {entry for entry in TOLD if entry not in used}


def test_an_entry_is_told_once() -> None:
    assert not {entry: pages for entry, pages in TOLD.items() if len(pages) > 1}


@pytest.mark.parametrize("page", sorted(references.DECISIONS.glob("*.md")), ids=lambda page: page.stem)
def test_the_entries_of_a_page_name_only_what_is_told(page) -> None:
    text = page.read_text(encoding="utf-8")
    assert references.named(text) <= {*TOLD, *references.table_rows()} | {"catalogue row 26"}


def test_an_entry_says_something_and_where_it_comes_from() -> None:
    for name in ("decisions", "requirements", "inputs", "cards"):
        entries = re.split(r"^#{2,3} ", (references.DECISIONS / f"{name}.md").read_text(encoding="utf-8"), flags=re.M)
        for entry in entries:
            if re.match(r"[^:\n]+: \S", entry):
                assert "Source: " in entry, entry


def test_an_id_has_one_form() -> None:
    unclear = {f"{name}: {found}" for name, text in TEXTS.items() for found in references.UNCLEAR.findall(text)}
    assert not unclear


# Papers that a command writes into a folder of its user's.
WRITTEN = ("change-plan.md",)


def test_a_paper_that_is_named_is_in_the_repository() -> None:
    """By its path from the top, from docs, or from the paper that names it."""
    for name, text in TEXTS.items():
        lines = [line for line in text.splitlines() if "shared" not in line]
        for paper in references.PAPER.findall("\n".join(lines)):
            short = paper.removeprefix("../")
            is_here = any(short == path or path.endswith(f"/{short}") for path in PAPERS)
            assert is_here or short in WRITTEN, f"{name}: {paper}"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("(inputs 1.4, 1.5 and 2)", {"inputs 1.4", "inputs 1.5", "inputs 2"}),
        ("messy cases 6 to 8 and 39", {"messy case 6", "messy case 7", "messy case 8", "messy case 39"}),
        ("inputs 1.1 to 1.3", {"inputs 1.1", "inputs 1.2", "inputs 1.3"}),
        ("J-05..J-07, R-G04", {"j-05", "j-06", "j-07", "r-g04"}),
        (f"{_DEF}_T_03_T_08_every_body(): ...", {"t-03", "t-08"}),
        (f"{_DEF}_DEC_39_the_list(): ...", {"dec-39"}),
        ("ES384, P-384, ICD-10, 12 inputs of 3 models, I50.9, N18", set()),
        ("case: 28.5", {"messy case 28"}),
    ],
)
def test_the_forms_of_an_id_are_read(text: str, ids: set[str]) -> None:
    assert references.named(text) == ids


def test_the_places_on_the_way_of_a_request_are_there() -> None:
    page = (references.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    places = re.findall(r"`((?:cds_service|fhir_mappings|models_onnx|docs)/[\w./-]+)`", page)
    assert len(places) > 30
    assert [place for place in places if not (references.ROOT / place).exists()] == []
    steps = set(re.findall(r"^\| (\d+) \|", page, re.M))
    assert steps == set(re.findall(r"(?<![\d:.])(\d+) (?=[a-z])", page.split("```")[1]))
    assert len(page.splitlines()) <= 70, "one page"
