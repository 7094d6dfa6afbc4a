"""At most 90 words on a card, options apart; one denominator; no outcome twice; nothing said against what is not known.

Of every golden person, every demonstration patient and every messy case.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_service.advice import dialects, wording
from cds_service.advice.cards import MOST_WORDS
from cds_service.advice.outcomes import OUTCOMES
from cds_service.app import create_app
from cds_service.demo import patients
from cds_service.settings import Settings
from tests.acceptance import messy_cases
from tests.acceptance.golden import card_of
from tests.acceptance.golden_people import PEOPLE
from tests.acceptance.test_findings import sent

_OPTIONS = ("Consider ", "More options:")
_COMPARED = re.compile(r"\b(typical|above|below|higher than|lower than|well above|average for)\b")


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every card, by whose it is."""
    found = {name: msgspec.to_builtins(card_of(person)[0]) for name, person in PEOPLE.items()}
    for as_of, bodies in ((datetime.now(UTC), demonstration()), (messy_cases.AS_OF, {})):
        folder = tmp_path_factory.mktemp("words")
        settings = Settings(demo=True, database_url=f"sqlite:///{folder}/r.sqlite3", state_directory=Path(folder))
        http = create_app(settings, clock=lambda as_of=as_of: as_of).test_client()  # type: ignore[misc]
        for name, body in bodies.items():
            for card in http.post("/cds-services/surgical-risk", json=body).json["cards"]:
                found[name] = card
        for name in messy_cases.CASES if not bodies else ():
            for answer in messy_cases.post(name, http):
                found |= {f"messy {name}": card for card in (answer.get_json() or {}).get("cards", ())}
    return found


def demonstration() -> dict[str, Any]:
    return {person.id: sent(person) for person in patients.load(datetime.now(UTC))}


def facts(card: dict[str, Any]) -> list[str]:
    """Summary and detail as they are read, options apart."""
    parts = dialects.plain(card["detail"]).split("\n\n")
    return [card["summary"], *(one for one in parts if not one.startswith(_OPTIONS))]


def test_at_most_90_words(cards: dict[str, dict[str, Any]]) -> None:
    assert len(cards) >= 80
    words = {name: wording.words(" ".join(facts(card))) for name, card in cards.items()}
    assert {name: count for name, count in words.items() if count > MOST_WORDS} == {}


def test_the_figures_of_a_card_have_one_denominator(cards: dict[str, dict[str, Any]]) -> None:
    """DEC-40: 1,000 if one figure told is rarer than 1 in 100, else 100; no figure is told as a percentage."""
    for name, card in cards.items():
        summary, *rest = facts(card)
        told = re.findall(r"\bin (1,000|100)\b", summary) + re.findall(r"^Of (1,000|100) such", "\n".join(rest), re.M)
        assert len(told) == 2, name
        assert len(set(told)) == 1, name
        listed = next(one for one in rest if one.startswith("- "))
        counts = [int(one) for one in re.findall(r"(?<![\w-])\d+", listed)]
        assert "%" not in summary + listed, name
        assert "under 1" not in listed or told[0] == "1,000", name
        assert max(counts, default=0) <= int(told[0].replace(",", "")), name


def test_no_outcome_is_told_twice_and_no_points_beside_it(cards: dict[str, dict[str, Any]]) -> None:
    for name, card in cards.items():
        text = "\n".join(facts(card))
        for outcome in OUTCOMES:
            assert not outcome.on_card or text.count(f"- {outcome.on_card}:") <= 1, name
            assert not (f"- {outcome.on_card}:" in text and outcome.on_card and _not_computable(text, outcome.short)), (
                name
            )
        assert not any(word in text for word in ("RCRI", "points", "Published", "mFI-5", "Apfel")), name


def _not_computable(text: str, short: str) -> bool:
    lines = [one for one in text.splitlines() if one.startswith("Not computable:")]
    return any(re.search(rf"\b{re.escape(short)}\b", line) for line in lines)


def test_the_figure_of_the_summary_lies_where_the_list_has_it(cards: dict[str, dict[str, Any]]) -> None:
    """No two figures for one outcome: what heads the card lies within what stands first in its list."""
    for name, card in cards.items():
        summary, *rest = facts(card)
        first = next(one for one in rest if one.startswith("- ")).splitlines()[0].partition(":")[2].split(" (")[0]
        listed = [0 if one == "under 1" else int(one) for one in re.findall(r"under 1|\d+", first.partition(",")[0])]
        head = re.search(r": (?:about )?(fewer than 1|under 1|\d+)", summary)
        assert head is not None, name
        figure = int(head[1]) if head[1].isdigit() else 0
        assert min(listed) <= figure <= max(listed), (name, summary, first)


def test_no_word_of_comparison_and_never_zero_to(cards: dict[str, dict[str, Any]]) -> None:
    """DEC-38: the two figures stand side by side, and a range says on what it hangs."""
    for name, card in cards.items():
        text = "\n".join(facts(card)).replace("in no figure above", "")
        assert not _COMPARED.search(text), name
        assert not re.search(r"(?<!\d)0( to |–)", text), name
        if " depending on " not in text and re.search(r"\(\d+ to \d+\) in|: \d+ to \d+ in", card["summary"]):
            assert "depending mostly on" in text or re.search(r"^- .*–", text, re.M), name
