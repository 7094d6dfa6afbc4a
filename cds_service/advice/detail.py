"""The detail of a card: short plain markdown in which the numbers come first and the limits last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cds_service.advice import wording
from cds_service.advice.assessment import Assessment, Estimate
from fhir_mappings import reasons
from fhir_mappings.feature import Feature
from fhir_mappings.features import FEATURES
from models_onnx.score import Score

LIMIT = 1200
_NAMED_MISSING = 4  # R-B06

BANDS = {
    "below-typical": "below typical",
    "typical": "typical",
    "above-typical": "above typical",
    "well-above-typical": "well above typical",
}


def write(assessment: Assessment) -> str:
    """At most 1,200 characters (R-A07); where they do not suffice the used inputs are cut first, and counted."""
    head = [_estimate(assessment, estimate) for estimate in assessment.estimates]
    tail = [*_missing(assessment), _limits(assessment)]
    room = LIMIT - sum(len(part) + 2 for part in (*head, *tail))
    return "\n\n".join([*head, *_used(assessment, room), *tail])


def _estimate(assessment: Assessment, estimate: Estimate) -> str:
    score, heading = estimate.score, estimate.outcome.heading
    if score.status == "score-only":
        return f"**{heading}:** {_points(score)}"
    if score.status == "not-computable":
        return f"**{heading}:** not computable without {needs(score.needs)}."
    return f"**{heading}:** {_risk(estimate)}{_compared(assessment, estimate)}"


def _risk(estimate: Estimate) -> str:
    probability, denominator = estimate.score.probability or 0.0, estimate.outcome.denominator
    told = f"{wording.frequency(probability, denominator)} ({wording.percent(probability)}{_interval(estimate.score)})"
    return f"{told}."


def _interval(score: Score) -> str:
    """The model's own interval where it is known, else what the missing inputs could do."""
    if score.low is not None and score.high is not None:
        return f", range {wording.percent(score.low)} to {wording.percent(score.high)}"
    return ""


def _compared(assessment: Assessment, estimate: Estimate) -> str:
    if estimate.peer is None or estimate.band is None:
        return ""
    peers = wording.count_in(estimate.peer.probability, estimate.outcome.denominator)
    return f" After {assessment.procedure.label} in general: {peers}, so this is {BANDS[estimate.band]}."


def _points(score: Score) -> str:
    told = f"{score.points:g} of {score.maximum_points:g} points."
    if not score.published_rates:
        return f"{told} A count, not a risk."
    rates = "; ".join(f"{rate.source} {wording.percent(rate.probability)}" for rate in score.published_rates[:2])
    return f"{told} Published rates at this count: {rates}."


def _used(assessment: Assessment, room: int) -> list[str]:
    """What was used, each with value, unit and date; what was searched and not found in one clause."""
    found = [feature for feature in assessment.usable if feature.value is not False]
    absent = [feature for feature in assessment.usable if feature.value is False]
    parts = [_told(assessment, feature) for feature in found if feature.name != "procedure_group"]
    if absent:
        parts.append(f"none recorded: {', '.join(FEATURES[feature.name].label for feature in absent)}")
    kept = list(_fitting(parts, room - len("**Used:**  and 99 more.") - 2))
    if not kept:
        return []
    cut = len(parts) - len(kept)
    return [f"**Used:** {'; '.join(kept)}{f'; and {cut} more' if cut else ''}."]


def _fitting(parts: Sequence[str], room: int) -> Iterable[str]:
    for part in parts:
        room -= len(part) + 2
        if room < 0:
            return
        yield part


def _told(assessment: Assessment, feature: Feature) -> str:
    definition = FEATURES[feature.name]
    when = f" ({wording.date(feature.time, assessment.zone)})" if _dated(feature) and feature.time is not None else ""
    told = wording.value(feature, definition)
    return f"{definition.label}{'' if told == 'yes' else f' {told}'}{when}{_marks(feature)}"


def _dated(feature: Feature) -> bool:
    """Results and answers carry their day; a diagnosis on the list or the age today does not need one."""
    return (feature.source or "").startswith("Observation/")


def _marks(feature: Feature) -> str:
    return " [unit assumed]" if "unit-assumed" in feature.flags else ""


def _missing(assessment: Assessment) -> list[str]:
    unusable = assessment.unusable
    if not unusable:
        return []
    named = [f"{FEATURES[f.name].label} ({reasons.words(f)})" for f in unusable[:_NAMED_MISSING]]
    more = len(unusable) - len(named)
    return [f"**Missing:** {'; '.join(named)}{f'; and {more} more' if more else ''}."]


def _limits(assessment: Assessment) -> str:
    models = ", ".join(f"{estimate.score.model} {estimate.score.version}" for estimate in assessment.estimates)
    return (
        "For clinicians planning elective surgery in adults. Informs, does not direct."
        " Not calibrated for this hospital."
        f" Data as of {wording.minute(assessment.as_of, assessment.zone)}. Models: {models}."
    )


def needs(names: Sequence[str]) -> str:
    """The inputs that a score lacks, in words: "ASA class and functional status"."""
    labels = [FEATURES[name].label if name in FEATURES else name.replace("_", " ") for name in names]
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)
