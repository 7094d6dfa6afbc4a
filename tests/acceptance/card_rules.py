"""What holds of every card, whoever's it is: each rule by name, and the cards that break it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from cds_service.advice import number_text
from cds_service.advice.outcomes import OUTCOMES
from cds_service.cards import dialects
from cds_service.cards.cards import MOST_WORDS
from tests.cds_service.advice.banned import banned_words, reading_grade

_OPTIONS = ("Consider ", "More options:")
_LAST = re.compile(r"For clinicians\. .+; informs only\. Data as of .+\.")
_PARAGRAPHS = re.compile(
    r"Of (1,000|100) such patients|- |Why: |Known, in no figure above: |Missing: |Not understood in the record: |"
    r"No figure: |For clinicians\. "
)
_COMPARED = re.compile(
    r"\b(typical|average for|above|below|higher than|lower than|more than|less than|twice|high|low|normal|elevated)\b"
)
_POINTS = re.compile(r"RCRI|ARISCAT|points|Published|mFI-5|Apfel|Charlson")


class Read:
    """A card as it is read: its facts without the options, the list of figures, and all of its text."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self.summary: str = card["summary"]
        parts = dialects.plain(card["detail"]).split("\n\n")
        self.facts = [one for one in parts if not one.startswith(_OPTIONS)]
        self.figures = next((one for one in self.facts if one.startswith("- ")), "")
        self.text = "\n".join([self.summary, *self.facts])
        self.everything = "\n".join([self.summary, *parts, *(one["label"] for one in card.get("suggestions", ()))])

    @property
    def denominators(self) -> list[str]:
        """Of how many the summary and the list tell their figures."""
        return re.findall(r"\bin (1,000|100)\b", self.summary) + re.findall(r"Of (1,000|100) such", self.text)


def _one_denominator(card: Read) -> bool:
    """DEC-40: 1,000 if one figure told is rarer than 1 in 100, else 100; no figure of an outcome is a percentage."""
    told = card.denominators
    if not card.figures:
        return len(set(told)) <= 1
    counts = [int(one) for one in re.findall(r"(?<![\w-])\d+", card.figures)]
    fits = max(counts, default=0) <= int(told[0].replace(",", "")) and "%" not in card.summary + card.figures
    return len(told) == 2 and len(set(told)) == 1 and fits and ("under 1" not in card.text or told[0] == "1,000")


def _no_event_twice(card: Read) -> bool:
    """One figure for one outcome, none beside "No figure", and no points with rates of their own."""
    lacking = next((one for one in card.facts if one.startswith("No figure: ")), "")
    for outcome in OUTCOMES:
        told = card.figures.count(f"- {outcome.on_card}:") if outcome.on_card else 0
        if told > 1 or (told and re.search(rf"\b{re.escape(outcome.short)}\b", lacking)):
            return False
    return not _POINTS.search(card.text)


def _summary_is_in_the_list(card: Read) -> bool:
    """What heads the card lies within what stands first in its list.

    By ASA class it may lie one beside it: the average of those whose class nobody recorded is a figure of its own.
    """
    if not card.figures:
        return "not computable" in card.summary
    listed = card.figures.splitlines()[0].partition(":")[2].split(" (")[0].partition(",")[0]
    counts = [0 if one == "under 1" else int(one) for one in re.findall(r"under 1|\d+", listed)]
    head = re.search(r": (?:about )?(fewer than 1|under 1|\d+)", card.summary)
    beside = 1 if "by ASA class" in card.text else 0
    figure = int(head[1]) if head is not None and head[1].isdigit() else 0
    return head is not None and min(counts) - beside <= figure <= max(counts) + beside


def _no_comparison(card: Read) -> bool:
    """DEC-38: the two figures stand side by side; no word says how they compare, least of all against a range."""
    return not _COMPARED.search(card.text.replace("in no figure above", ""))


def _a_range_says_why(card: Read) -> bool:
    ranges = re.search(r"^- [^(\n]*(–|under 1 to)", card.figures, re.MULTILINE) or re.search(r"\d to \d", card.summary)
    why = (" depending ", "by ASA class", "Missing: ", "Not understood in the record: ", "birth date not exact")
    return not ranges or any(one in card.text for one in why)


def _each_line_one_fact(card: Read) -> bool:
    """Every paragraph begins as one that a reader knows, none twice, and the limits stand last."""
    begins = [_PARAGRAPHS.match(one) for one in card.facts]
    names = [one[0] for one in begins if one]
    return len(names) == len(card.facts) == len(set(names)) and bool(_LAST.fullmatch(card.facts[-1]))


def _reads_as_text(card: Read) -> bool:
    return not any(mark in card.everything for mark in ("*", "#", "<", "`", "_", "](", "|"))


RULES: dict[str, Callable[[Read], bool]] = {
    "at most 90 words": lambda card: number_text.words(card.text) <= MOST_WORDS,
    "one denominator": _one_denominator,
    "no event twice": _no_event_twice,
    "the summary's figure is in the list": _summary_is_in_the_list,
    "no word of comparison": _no_comparison,
    "never from zero": lambda card: not re.search(r"(?<![\d.,])0( to |–)", card.text),
    "a range says why": _a_range_says_why,
    "each line one fact, the limits last": _each_line_one_fact,
    "reads as plain text": _reads_as_text,
    "no banned word": lambda card: banned_words(card.everything) == [],
    "ninth grade, the operation's name counted": lambda card: reading_grade(card.everything) <= 9.0,
}


def broken(rule: str, cards: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The cards that break this rule, by whose they are."""
    read = {name: Read(card) for name, card in cards.items()}
    return {name: card.text for name, card in read.items() if not RULES[rule](card)}
