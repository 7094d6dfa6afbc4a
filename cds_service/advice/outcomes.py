"""The outcomes that a card may tell: their words, their denominator, and which model tells each."""

from __future__ import annotations

import msgspec


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of surgery.

    `denominator`: natural frequencies are told in so many, for the patient and for peers alike (DEC-27).
    `models`: the card tells the first that is computable (DEC-36).
    `warning_from`: the least absolute risk at which a card may be a warning (DEC-32).
    """

    name: str
    words: str
    heading: str
    denominator: int
    models: tuple[str, ...]
    warning_from: float | None = None

    @property
    def headline(self) -> bool:
        """Whether it may head a card: an absolute risk with a horizon of at least 7 days or of the hospital stay."""
        return self.warning_from is not None


RARE = 0.01
COMMON = 0.20

# In the order of DEC-32: of equal bands the first heads the card.
OUTCOMES = (
    Outcome(
        name="30-day-death",
        words="30-day death",
        heading="Death within 30 days",
        denominator=1000,
        models=("sort-2014", "elective-death"),
        warning_from=RARE,
    ),
    Outcome(
        name="any-complication",
        words="any complication in hospital",
        heading="Any complication in hospital",
        denominator=100,
        models=("elective-complication",),
        warning_from=COMMON,
    ),
    Outcome(
        name="cardiac-arrest-or-mi",
        words="heart attack or cardiac arrest within 30 days",
        heading="Heart attack or cardiac arrest within 30 days",
        denominator=1000,
        models=("gupta-mica", "gscri"),
        warning_from=RARE,
    ),
    Outcome(
        name="respiratory-failure",
        words="respiratory failure within 30 days",
        heading="Respiratory failure within 30 days",
        denominator=1000,
        models=("gupta-respiratory-failure",),
        warning_from=RARE,
    ),
    Outcome(
        name="pneumonia",
        words="pneumonia within 30 days",
        heading="Pneumonia within 30 days",
        denominator=1000,
        models=("gupta-pneumonia",),
        warning_from=RARE,
    ),
    Outcome(
        name="major-cardiac-event",
        words="major cardiac event",
        heading="Heart risk points (RCRI)",
        denominator=100,
        models=("rcri",),
    ),
    Outcome(
        name="pulmonary-complication",
        words="lung complication in hospital",
        heading="Lung risk points (ARISCAT)",
        denominator=100,
        models=("ariscat",),
    ),
    Outcome(
        name="nausea-and-vomiting",
        words="nausea and vomiting within 24 hours",
        heading="Nausea risk points (Apfel)",
        denominator=100,
        models=("apfel",),
    ),
    Outcome(
        name="frailty", words="frailty", heading="Frailty points (mFI-5)", denominator=100, models=("mfi-5", "hfrs")
    ),
    Outcome(
        name="comorbidity-burden",
        words="comorbidity burden",
        heading="Comorbidity points (Charlson)",
        denominator=100,
        models=("charlson-quan",),
    ),
)
BY_NAME = {outcome.name: outcome for outcome in OUTCOMES}
