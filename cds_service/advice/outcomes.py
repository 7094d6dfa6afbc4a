"""The outcomes that a card may tell: its words and denominator; which model tells each stands in registry.yaml."""

from __future__ import annotations

from typing import Literal

import msgspec


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of surgery.

    `words` in a summary, `heading` on a page, `short` in a list, `on_card` where the card has named the 30 days.
    `denominator`: natural frequencies are told in so many on a page (DEC-27); a card has one for all (DEC-40).
    `frequency`: a rare or a common outcome may head a card, and be a warning from another risk on (DEC-32);
    "none" is no absolute risk with a horizon of at least 7 days or of the hospital stay (R-A05).
    """

    name: str
    words: str
    heading: str
    short: str
    denominator: int
    on_card: str = ""
    frequency: Literal["rare", "common", "none"] = "none"

    @property
    def may_head(self) -> bool:
        """Whether it may head a card."""
        return self.frequency != "none"


# In the order of DEC-32: of equal bands the first heads the card.
OUTCOMES = (
    Outcome(
        name="30-day-death",
        words="30-day death",
        heading="Death within 30 days",
        short="death",
        on_card="Death",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="any-complication",
        words="any complication in hospital",
        heading="Any complication in hospital",
        short="any complication",
        on_card="Any complication in hospital",
        denominator=100,
        frequency="common",
    ),
    Outcome(
        name="cardiac-arrest-or-mi",
        words="heart attack or cardiac arrest within 30 days",
        heading="Heart attack or cardiac arrest within 30 days",
        short="heart attack or arrest",
        on_card="Heart attack or arrest",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="respiratory-failure",
        words="respiratory failure within 30 days",
        heading="Respiratory failure within 30 days",
        short="respiratory failure",
        on_card="Respiratory failure",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="pneumonia",
        words="pneumonia within 30 days",
        heading="Pneumonia within 30 days",
        short="pneumonia",
        on_card="Pneumonia",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="major-cardiac-event",
        words="major heart events",
        heading="Heart risk points (RCRI)",
        short="RCRI heart points",
        denominator=1000,
    ),
    Outcome(
        name="pulmonary-complication",
        words="lung complication in hospital",
        heading="Lung risk points (ARISCAT)",
        short="ARISCAT lung points",
        denominator=100,
    ),
    Outcome(
        name="nausea-and-vomiting",
        words="nausea and vomiting within 24 hours",
        heading="Nausea risk points (Apfel)",
        short="Apfel nausea points",
        denominator=100,
    ),
    Outcome(
        name="frailty",
        words="frailty",
        heading="Frailty points",
        short="frailty points",
        denominator=100,
    ),
    Outcome(
        name="comorbidity-burden",
        words="comorbidity burden",
        heading="Comorbidity points (Charlson)",
        short="comorbidity points",
        denominator=100,
    ),
)
# Models that count coded diseases: what was not understood can only add, to no end that says anything (DEC-38).
BURDENS = frozenset({"hfrs", "charlson-quan"})
BY_NAME = {outcome.name: outcome for outcome in OUTCOMES}
# Where an outcome has scores of different names, each is told by its own.
_SCORES = {"mfi-5": "mFI-5", "hfrs": "HFRS"}


def heading(outcome: str, model: str) -> str:
    """The outcome as this model tells it: "Frailty points (mFI-5)"; `outcome` has to be one of OUTCOMES."""
    told = BY_NAME[outcome].heading
    return f"{told} ({_SCORES[model]})" if model in _SCORES else told
