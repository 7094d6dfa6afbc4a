"""Which inputs the figures go with: the strongest contributions, each with its value, unit, day and direction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cds_service.advice import feature_text
from cds_service.advice.assessment import Assessment
from fhir_mappings.features.features import label_of
from models_onnx.added_model import AddedAnswer
from models_onnx.score import Contribution, Score

MOST = 4
LEAST = 2
# A contribution below this changes the odds by less than one part in twenty: too little to be called a reason.
LEAST_LOG_ODDS = 0.05
# Of another figure than the headline's: only what changes its odds by a third or more.
_STRONG_LOG_ODDS = 0.3
_NEVER = ("procedure_group", "urgency")  # the peers had it too


class Driver(msgspec.Struct, frozen=True):
    """One input in words, and by how much it moves the log-odds from the reference of its model."""

    name: str
    words: str
    log_odds: float


def of(assessment: Assessment) -> tuple[Driver, ...]:
    """At most four: the headline's, the strongest first; then what moves another figure of the card."""
    if assessment.headline is None:
        return ()
    found = _moving(assessment, assessment.headline.score)
    others = [one for told in assessment.others for one in _moving(assessment, told.score)]
    for one in sorted(others, key=_strength):
        is_new = one.input not in {known.input for known in found}
        if is_new and (len(found) < LEAST or abs(one.log_odds) >= _STRONG_LOG_ODDS):
            found.append(one)
    return tuple([Driver(one.input, _words(assessment, one.input), one.log_odds) for one in found[:MOST]])


def of_added(assessment: Assessment, answer: AddedAnswer) -> tuple[Driver, ...]:
    """The strongest of a model that a site added, by the method that its card names."""
    found = _moving(assessment, answer.score)[:LEAST]
    return tuple(Driver(one.input, _words(assessment, one.input), one.log_odds) for one in found)


def _moving(assessment: Assessment, score: Score) -> list[Contribution]:
    """What is known and moves this figure, the strongest first."""
    features = assessment.features
    found = [
        one
        for one in score.contributions
        if abs(one.log_odds) >= LEAST_LOG_ODDS and one.input not in _NEVER and features[one.input].usable
    ]
    return sorted(found, key=_strength)


def _strength(one: Contribution) -> float:
    return -abs(one.log_odds)


def _words(assessment: Assessment, name: str) -> str:
    """An absent diagnosis is told as "no ... recorded": it passes for no value."""
    feature = assessment.features[name]
    if feature.value is False and feature.source is None:
        return f"no {label_of(name, assessment.features)} recorded"
    return feature_text.in_a_list(feature, assessment.today)


def line(found: Sequence[Driver]) -> list[str]:
    """One line for what goes with higher and with lower figures: "with", never "caused by"."""
    told = sides(found)
    return [f"**Why:** {'; '.join(told)}."] if told else []


def sides(found: Sequence[Driver]) -> list[str]:
    """What goes with higher figures, and what with lower ones."""
    told = []
    for heading, words in (
        ("higher with", [one.words for one in found if one.log_odds > 0]),
        ("lower with", [one.words for one in found if one.log_odds < 0]),
    ):
        if words:
            told.append(f"{heading} {', '.join(words)}")
    return told
