"""Every id that source, tests and papers name, and every heading that tells what an id means (docs/decisions)."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = ROOT / "docs" / "decisions"
# Where people write; no code tables, no data of tests, and not the pages in which the ids themselves are told.
_WRITTEN = re.compile(r"\.(py|md|yaml|toml|conf|txt)$|(^|/)(Makefile|Dockerfile|run)$|^fhir_mappings/.*\.json$")
_NOT_READ = re.compile(
    r"golden|^docs/(decisions/|conformance\.md)|^tests/conformance/items\.yaml$|^tests/references\.py$"
)
# A number by itself, and a list of such: "1.5", "1.4, 1.5 and 2", "12, 21 and 34", "6 to 10".
_NUMBER = r"P?\d+(?:\.\d+)?"
_NUMBERS = rf"{_NUMBER}(?:(?:, | and | to ){_NUMBER})*"
_WORDS = {
    "inputs": re.compile(rf"\b[Ii]nputs ({_NUMBERS})(?!\d)(?! (?:of|are|is|were) )"),
    "messy case": re.compile(rf"\b[Mm]essy cases? ({_NUMBERS})"),
    "catalogue row": re.compile(rf"\b[Cc]atalogue rows? ({_NUMBERS})"),
    "never-suggest": re.compile(rf"\b[Nn]ever-suggest ({_NUMBERS})"),
}
# Decisions, requirements, checks of the hooks, rules of the catalogue (A) and of the model pages (H), items (others).
_ID = re.compile(r"(?<![\w.-])(DEC[-_]\d\d|R-[A-H]\d\d|HS-\d|[A-HJ-LN-PRSTVY]-\d\d)(?![\w.]*\d)")
_RANGE = re.compile(r"(?<![\w.-])(R-[A-H]|[A-Z]-)(\d\d)(?:\.\.| to )\1(\d\d)\b")
_CASE = re.compile(r"^case: (P?\d+)", re.MULTILINE)  # of a folder in tests/patients
_TEST_NAME = re.compile(r"\bdef test_((?:DEC_\d\d_|[A-Z]_\d\d_)+)")
_HEADING = re.compile(r"^#{2,4} ([^:\n]+): \S", re.MULTILINE)
# Forms that said the same less clearly, and names of texts that are not in the repository.
UNCLEAR = re.compile(
    r"\binputs(?:\.md)?,? sections?\b|\binputs\.md\b|(?<!messy )\bcases? \d+\)|\([GP]\d\d?\)|\(N\d\d?\)|\b[Ii]ssue \d"
    r"|(?:suggestions\.md|\(), ?rows? \d|\(rows? \d|\bstack (?:report|/report)|\bchecklist [A-Z]-\d"
)
PAPER = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.md)\b")


def read() -> Iterator[tuple[str, str]]:
    """Each text of the repository that may name an id, under its path."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if _WRITTEN.search(name) and not _NOT_READ.search(name) and (ROOT / name).is_file():
            yield name, (ROOT / name).read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """The ids that a text names, in small letters."""
    found = {match.replace("_", "-") for match in _ID.findall(text)}
    for letters, first, last in _RANGE.findall(text):
        found |= {f"{letters}{number:02}" for number in range(int(first), int(last) + 1)}
    for ids in _TEST_NAME.findall(text):
        found |= {f"{letters}-{number}" for letters, number in re.findall(r"([A-Z]+)_(\d\d)_", ids)}
    for word, pattern in _WORDS.items():
        for numbers in pattern.findall(text):
            found |= {f"{word} {number}" for number in _each(numbers)}
    found |= {f"messy case {number}" for number in _CASE.findall(text)}
    return {name.lower() for name in found}


def headings() -> dict[str, list[str]]:
    """Of each id, in small letters, the pages that tell it: one each, or the fact stands twice."""
    told: dict[str, list[str]] = {}
    for page in sorted(DECISIONS.glob("*.md")):
        for name in _HEADING.findall(page.read_text(encoding="utf-8")):
            told.setdefault(name.lower(), []).append(page.name)
    return told


def table_rows() -> set[str]:
    """The ids that stand in the two tables made from data: the protocol's items and the catalogue's rows."""
    items = re.findall(r"^\| ([A-Z]-\d\d) \|", (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8"), re.M)
    rows = re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "suggestions.md").read_text(encoding="utf-8"), re.M)
    return {*(item.lower() for item in items), *(f"catalogue row {number}" for number in rows)}


def _each(numbers: str) -> Iterator[str]:
    first = ""
    for joint, number in re.findall(rf"(, | and | to |^)({_NUMBER})", numbers):
        if joint == " to ":
            whole, _, begin = first.rpartition(".")
            end = number.rpartition(".")[2]
            yield from (f"{whole}{'.' * bool(whole)}{between}" for between in range(int(begin) + 1, int(end)))
        first = number
        yield number
