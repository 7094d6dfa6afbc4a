"""Each estimate as one or two plain sentences: the absolute risk first, its range, then the peers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service.advice import wording
from cds_service.advice.assessment import Assessment, Estimate
from fhir_mappings.feature import Features
from fhir_mappings.features import FEATURES
from models_onnx.score import PublishedRate, Range

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
    if told.score.status == "score-only":
        return f"{heading} {_points(told)}"
    return f"{heading} {_risk(told)}{_unknown_range(told)}{_compared(assessment, told)}"


def in_short(estimates: Sequence[Estimate]) -> list[str]:
    """The probabilities of several outcomes in one line, each with its horizon, for a narrow panel."""
    told = [
        f"{one.outcome.words} {wording.count_in(one.score.probability or 0.0, one.outcome.denominator)}"
        for one in estimates
    ]
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


def _risk(told: Estimate) -> str:
    probability, score, denominator = told.score.probability or 0.0, told.score, told.outcome.denominator
    interval = ""
    if score.low is not None and score.high is not None:
        low, high = wording.percent(score.low, denominator), wording.percent(score.high, denominator)
        low = low.removesuffix(" %") if low[0].isdigit() else low
        interval = f"; 90 % interval {low} to {high}" if low != high else ""
    return f"{wording.frequency(probability, denominator)} ({wording.percent(probability, denominator)}{interval})."


def _unknown_range(told: Estimate) -> str:
    """What the missing inputs could do, in the same denominator (R-B06); nothing where it rounds to the same."""
    if told.unknown is None:
        return ""
    span = between(told.unknown.range, told.outcome.denominator)
    over = "what is missing" if told.unknown.unknown else "the possible ages"
    return f" Range over {over}: {span}." if " to " in span else ""


def between(limits: Range, denominator: int) -> str:
    """ "4 to 10 in 1,000": both ends in one denominator."""
    low, high = wording.count_in(limits.low, denominator), wording.count_in(limits.high, denominator)
    if low == high:
        return high
    return f"{low.removesuffix(f' in {denominator:,}')} to {high}".replace("fewer than 1 to", "0 to")


def _compared(assessment: Assessment, told: Estimate) -> str:
    if told.peer is None or told.band is None:
        return ""
    peers = wording.count_in(told.peer.probability, told.outcome.denominator)
    here = " here" if told.score.recalibration is not None else ""
    return f" Typical{here} for {assessment.procedure.label}: {peers}. This is {BANDS[told.band]}."


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
    told = f"{score.points:g} of {score.maximum_points:g}"
    if not score.published_rates:
        return f"{told} (a count, not a risk)."
    rates = ", ".join(_rate(rate) for rate in score.published_rates[:2])
    return f"{told}. Published rates of {estimate.outcome.words}: {rates}."
