"""The cards of more than thirty invented people are as they were read and agreed; and obey the rules of words."""

from __future__ import annotations

import re

import pytest

from tests.acceptance.golden import FOLDER, as_read, card_of
from tests.acceptance.golden_people import PEOPLE
from tests.cds_service.advice.banned import banned_words, reading_grade

NAMES = sorted(PEOPLE)


def test_there_is_one_agreed_card_for_each_of_at_least_25_people() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == NAMES
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_as_it_was_agreed(name: str) -> None:
    """Made anew by `python -m tests.acceptance.golden`; read before it is committed."""
    assert as_read(PEOPLE[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_card_fits_gives_no_direction_and_copies_no_word_of_the_record(name: str) -> None:
    card, _ = card_of(PEOPLE[name])
    assert len(card.summary) < 140
    assert len(card.detail or "") <= 1200
    assert len(card.suggestions) <= 3
    rendered = " ".join([card.summary, card.detail or "", *(one.label for one in card.suggestions)])
    assert banned_words(rendered) == []
    assert not any(mark in rendered for mark in ("CANARY", "<", "](", "|", "script"))


@pytest.mark.parametrize("name", NAMES)
def test_a_card_reads_at_ninth_grade_or_below(name: str) -> None:
    card, _ = card_of(PEOPLE[name])
    options = "\n".join(one.label for one in card.suggestions)
    assert reading_grade(f"{card.summary}\n{card.detail}\n{options}") <= 9.0
    assert not options or reading_grade(options) <= 9.0


@pytest.mark.parametrize("name", NAMES)
def test_what_every_card_says_once(name: str) -> None:
    card, _ = card_of(PEOPLE[name])
    told = card.detail or ""
    assert len(re.findall(r"[Nn]ot calibrated here; informs only\.", told)) == 1
    assert told.count("Data as of ") == 1
    headings = ("Why", "Known, in no figure above", "Missing", "Not understood in the record", "More options")
    assert all(told.count(f"**{heading}:**") <= 1 for heading in headings)


def test_no_word_of_the_record_reaches_any_member_of_the_card() -> None:
    import msgspec

    card, _ = card_of(PEOPLE["words-in-the-record"])
    assert b"CANARY" not in msgspec.json.encode(card)
