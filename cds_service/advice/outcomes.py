"""The outcomes that a card may tell: its words and denominator; which model tells each stands in registry.yaml."""

from __future__ import annotations

from typing import Literal

import msgspec


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of surgery.

    `words` in a summary, `heading` in a detail, `short` in a list.
    `denominator`: natural frequencies are told in so many, for the patient and for peers alike (DEC-27).
    `frequency`: a rare or a common outcome may head a card, and be a warning from another risk on (DEC-32);
    "none" is no absolute risk with a horizon of at least 7 days or of the hospital stay (R-A05).
    """

    name: str
    words: str
    heading: str
    short: str
    denominator: int
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
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="any-complication",
        words="any complication in hospital",
        heading="Any complication in hospital",
        short="any complication",
        denominator=100,
        frequency="common",
    ),
    Outcome(
        name="cardiac-arrest-or-mi",
        words="heart attack or cardiac arrest within 30 days",
        heading="Heart attack or cardiac arrest within 30 days",
        short="heart attack or cardiac arrest",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="respiratory-failure",
        words="respiratory failure within 30 days",
        heading="Respiratory failure within 30 days",
        short="respiratory failure",
        denominator=1000,
        frequency="rare",
    ),
    Outcome(
        name="pneumonia",
        words="pneumonia within 30 days",
        heading="Pneumonia within 30 days",
        short="pneumonia",
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
        heading="Frailty points (mFI-5)",
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
