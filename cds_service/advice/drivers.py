"""Which inputs the headline goes with: the strongest contributions, each with its value, unit, day and direction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from cds_service.advice import naming
from cds_service.advice.assessment import Assessment
from fhir_mappings.features import FEATURES

MOST = 5  # R-B05
# A contribution below this changes the odds by less than one part in twenty: too little to be called a reason.
LEAST_LOG_ODDS = 0.05


class Driver(msgspec.Struct, frozen=True):
    """One input of the headline's model in words, and by how much it moves the log-odds from the reference."""

    name: str
    words: str
    log_odds: float


def of(assessment: Assessment) -> tuple[Driver, ...]:
    """At most five, the strongest first; the operation itself is none, as the peers had it too."""
    if assessment.headline is None:
        return ()
    strongest = sorted(assessment.headline.score.contributions, key=lambda one: -abs(one.log_odds))
    drivers = (
        Driver(one.input, _words(assessment, one.input), one.log_odds)
        for one in strongest
        if one.input not in ("procedure_group", "urgency") and abs(one.log_odds) >= LEAST_LOG_ODDS
    )
    return tuple(islice(drivers, MOST))


def _words(assessment: Assessment, name: str) -> str:
    """An absent diagnosis is told as "no ... recorded", a missing input as missing: neither passes for a value."""
    feature = assessment.features[name]
    if not feature.usable:
        return f"{FEATURES[name].label} missing"
    if feature.value is False and feature.source is None:
        return f"no {FEATURES[name].label} recorded"
    return naming.feature(feature, assessment.today)


def lines(found: Sequence[Driver]) -> list[str]:
    """One line each for what goes with a higher and with a lower risk: "goes with", never "caused by"."""
    told = []
    for heading, words in (
        ("Goes with a higher risk", [one.words for one in found if one.log_odds > 0]),
        ("Goes with a lower risk", [one.words for one in found if one.log_odds < 0]),
    ):
        if words:
            told.append(f"**{heading}:** {'; '.join(words)}.")
    return told
