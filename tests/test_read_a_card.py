"""docs/read-a-card.md tells the true words of a card, reads easily, gives no direction and fits on one sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.cards.cards import OVERRIDE_REASONS
from tests.acceptance.golden import FOLDER
from tests.cds_service.advice.banned import banned_words, reading_grade

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "read-a-card.md").read_text(encoding="utf-8")
(CARD,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
GOLDEN = "words-in-the-record"
_TABLES = re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)
OF_THIS_CARD, OF_OTHERS = (_ROW.findall(table) for table in _TABLES)
MOST_WORDS = 950  # with the quoted card: one sheet of A4 as docs/site.css has it


def golden(name: str) -> str:
    """The card alone, without the lines that say whose it is."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n\n")[2]


def test_the_card_is_the_golden_one_byte_for_byte() -> None:
    assert golden(GOLDEN) == CARD


@pytest.mark.parametrize("words", [words for words, _ in OF_THIS_CARD])
def test_what_is_explained_stands_on_it(words: str) -> None:
    assert words in CARD


@pytest.mark.parametrize("words", [words for words, _ in OF_OTHERS])
def test_what_other_cards_say_is_a_line_of_one(words: str) -> None:
    assert any(words in golden(path.stem).splitlines() for path in FOLDER.glob("*.txt") if path.stem != GOLDEN)


def test_every_line_of_the_card_is_explained() -> None:
    """Each line has a row, but for the list's heading and what its neighbours say already."""
    told = [words for words, _ in OF_THIS_CARD]
    lines = [line for line in CARD.splitlines() if line and not line.startswith("Of 1,000 such patients")]
    unexplained = [line for line in lines if not any(words in line for words in told)]
    assert unexplained == []


@pytest.mark.parametrize("kind", ["Why: ", "Missing: ", "by ASA class", "More options: "])
def test_every_kind_of_line_has_a_row(kind: str) -> None:
    assert any(kind in words for words, _ in OF_OTHERS)


def the_words() -> str:
    """The page's own words: without the quotations, a paragraph and a row a line each."""
    text = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`|^\|[-|]+\|$|_{3,}|[#*|]", "", text, flags=re.MULTILINE)
    paragraphs = re.split(r"\n\n|\n(?= )", text)
    return "\n".join(" ".join(one.split()) for one in paragraphs if one.strip())


def test_it_reads_at_ninth_grade_or_below_and_gives_no_direction() -> None:
    assert reading_grade(the_words()) <= 9.0
    assert max(len(re.findall(r"[A-Za-z]+", one)) for one in re.split(r"[.:;\n]+(?=\s|$)", the_words())) <= 30
    assert banned_words(the_words()) == []


def test_it_is_short_enough_for_one_sheet() -> None:
    assert len(PAGE.split()) <= MOST_WORDS


@pytest.mark.parametrize("words", ["No card never means low risk.", "It does not direct care", "not calibrated here"])
def test_what_it_has_to_say(words: str) -> None:
    assert words in " ".join(PAGE.split())


def test_a_reason_for_dismissing_is_one_of_a_few() -> None:
    assert f"one of {len(OVERRIDE_REASONS)} reasons" in PAGE
