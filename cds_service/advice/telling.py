"""Each estimate as one or two plain sentences: the absolute risk first, its range, then the peers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service.advice import wording
from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.outcomes import BURDENS, Outcome
from fhir_mappings.feature import Features
from fhir_mappings.features import FEATURES
from models_onnx.score import PointsRange, PublishedRate, Range, Score

_NAMED = 3  # inputs on which a range depends, by name
# Over what time a published rate counts: models_onnx/training/published_coefficients.json, "rcri", outcome.
_HORIZONS = {"CCS 2017": "30 days", "Lee 1999 validation": "in hospital"}
BANDS = {
    "below-typical": "below typical",
    "typical": "typical",
    "above-typical": "above typical",
    "well-above-typical": "well above typical",
}


def estimate(assessment: Assessment, told: Estimate) -> str:
    """One outcome that has a probability or points."""
    heading = f"**{told.outcome.heading}:**"
    if told.score.has_points:
        return f"{heading} {_points(told)}"
    return f"{heading} {_risk(told, assessment.features)}{_unknown_range(told)}{_compared(assessment, told)}"


def figure(told: Estimate) -> str:
    """The figure in a few words, with the range that leaves its band: "about 5 (under 1 to 43) in 1,000".

    Where there is no single number: "8 to 16 in 1,000".
    """
    denominator, probability = told.outcome.denominator, told.score.probability
    span = between(told.unknown.range, denominator) if told.unknown is not None else ""
    if probability is None:
        return span
    one = wording.frequency(probability, denominator)
    unit = f" in {denominator:,}"
    return one if told.certain else f"{one.removesuffix(unit)} ({span.removesuffix(unit)}){unit}"


def in_short(estimates: Sequence[Estimate]) -> list[str]:
    """The probabilities of several outcomes in one line, each with its horizon, for a narrow panel."""
    told = [f"{one.outcome.words} {figure(one).removeprefix('about ')}" for one in estimates]
    return [f"**Also, about:** {'; '.join(told)}."] if told else []


def not_computable(estimates: Sequence[Estimate], features: Features) -> list[str]:
    """One line for all outcomes without an answer, and why; those that lack the same stand together."""
    lacking: dict[str, list[str]] = {}
    for told in estimates:
        if told.score.status == "not-computable":
            lacking.setdefault(why_not(told, features), []).append(told.outcome.short)
    groups = [f"{', '.join(outcomes)} ({why})" for why, outcomes in lacking.items()]
    return [f"**Not computable:** {'; '.join(groups)}."] if groups else []


def why_not(told: Estimate, features: Features) -> str:
    """What an outcome lacks, and between which figures it lies where only one input is lacking."""
    if not told.score.needs:
        return "no model grades this operation"
    words = f"needs {_listed(told.score.needs, features)}"
    if told.unknown is None or len(told.score.needs) > 1:
        return words
    return f"{words}; {between(told.unknown.range, told.outcome.denominator)}"


def _listed(names: Sequence[str], features: Features) -> str:
    """Inputs in words: "ASA class and functional status"; "the exact age" of what is known only within limits."""
    inexact = {name for name in names if name in features and features[name].usable}
    labels = [("the exact " if name in inexact else "") + FEATURES[name].label for name in names]
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)


def _risk(told: Estimate, features: Features) -> str:
    score, denominator = told.score, told.outcome.denominator
    if score.probability is None:
        return _range(told, features)
    probability = score.probability
    interval = ""
    if score.low is not None and score.high is not None:
        low, high = wording.percent(score.low, denominator), wording.percent(score.high, denominator)
        low = low.removesuffix(" %") if low[0].isdigit() else low
        interval = f"; 90 % interval {low} to {high}" if low != high else ""
    return f"{wording.frequency(probability, denominator)} ({wording.percent(probability, denominator)}{interval})."


def _range(told: Estimate, features: Features) -> str:
    """Where there is no single number: from where to where, and what it depends on."""
    denominator = told.outcome.denominator
    low, high = (wording.percent(end, denominator) for end in (told.low, told.high))
    span = low if low == high else f"{low.removesuffix(' %') if low[0].isdigit() else low} to {high}"
    return f"{between(Range(told.low, told.high), denominator)} ({span}), depending on {_hangs_on(told, features)}."


def _hangs_on(told: Estimate, features: Features) -> str:
    """The unknown inputs that matter most: "cancer", "cancer and ASA class", "ASA class and 3 more inputs"."""
    names = [one.input for one in told.unknown.unknown] if told.unknown is not None else []
    if not names:
        return "the exact age"
    if len(names) <= _NAMED:
        return _listed(names, features)
    return f"{_listed(names[: _NAMED - 1], features)} and {len(names) - _NAMED + 1} more inputs"


def _unknown_range(told: Estimate) -> str:
    """What the missing inputs could do, in the same denominator (R-B06); nothing where it rounds to the same."""
    if told.unknown is None or told.score.probability is None:
        return ""
    span = between(told.unknown.range, told.outcome.denominator)
    over = "what is missing" if told.unknown.unknown else "the possible ages"
    return f" Range over {over}: {span}." if " to " in span else ""


def between(limits: Range, denominator: int) -> str:
    """ "4 to 10 in 1,000": both ends in one denominator."""
    low, high = wording.count_in(limits.low, denominator), wording.count_in(limits.high, denominator)
    if low == high:
        return high
    return f"{low.removesuffix(f' in {denominator:,}')} to {high}".replace("fewer than 1 to", "under 1 to")


def _compared(assessment: Assessment, told: Estimate) -> str:
    if told.peer is None or told.band is None:
        return ""
    peers = wording.count_in(told.peer.probability, told.outcome.denominator)
    here = " here" if told.score.recalibration is not None else ""
    usual = f" Typical{here} for {assessment.procedure.label}: {peers}."
    if told.told_band is not None:
        return f"{usual} This is {BANDS[told.told_band]}."
    if told is not assessment.headline or told.score.probability is None:  # a range says by itself what it hangs on
        return usual
    return f"{usual} How this compares depends on {_hangs_on(told, assessment.features)}."


def calibration(assessment: Assessment) -> str:
    """Which of the probabilities told were recalibrated for this hospital (DEC-30); points claim none."""
    told = [(one.outcome.short, one.score.recalibration) for one in assessment.computed]
    by = {outcome: found for outcome, found in told if found is not None}
    if not by:
        return "Not calibrated for this hospital."
    kinds = {(one.number, one.approved_on) for one in by.values()}
    which = f" ({_approved(*kinds.pop())})" if len(kinds) == 1 else ""
    if len(by) == len(told):
        return f"Recalibrated for this hospital{which}."
    return f"Recalibrated for this hospital{which}: {', '.join(by)}; the other figures are not."


def _approved(number: int, day: date | None) -> str:
    """ "number 2, 20 Nov 2026": which of the hospital's recalibrations, and when it was approved."""
    return f"number {number}" + (f", {wording.calendar_day(day)}" if day else "")


def _rate(rate: PublishedRate) -> str:
    horizon = f", {_HORIZONS[rate.source]}" if rate.source in _HORIZONS else ""
    return f"{wording.percent(rate.probability)} ({rate.source}{horizon})"


def _points(estimate: Estimate) -> str:
    """The count, and how often the outcome followed it in print (R-B04): of what, and where."""
    score = estimate.score
    if score.points_range is not None:
        return _points_range(estimate.outcome, score, score.points_range)
    told = f"{score.points:g} of {score.maximum_points:g}"
    if not score.published_rates:
        return f"{told} (a count, not a risk)."
    rates = ", ".join(_rate(rate) for rate in score.published_rates[:2])
    return f"{told}. Published rates of {estimate.outcome.words}: {rates}."


def _points_range(outcome: Outcome, score: Score, points: PointsRange) -> str:
    """From where to where the count lies, with the published rates of both ends; of a burden only the least."""
    if score.model in BURDENS:
        return f"at least {points.low:g} (a count, not a risk)."
    told = f"{points.low:g} to {points.high:g} of {score.maximum_points:g}"
    if not (points.rates_low and points.rates_high):
        return f"{told} (a count, not a risk)."
    ends = f"{_rate(points.rates_low[0])} at {points.low:g}, {_rate(points.rates_high[0])} at {points.high:g}"
    return f"{told}. Published rates of {outcome.words}: {ends}."
