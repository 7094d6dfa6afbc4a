"""The figures of a card in plain words: one denominator, each beside the usual one, a range with what it hangs on.

No word of comparison: the two figures stand side by side (DEC-38).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from cds_service.advice import by_class, number_text
from cds_service.advice.assessment import Assessment, Estimate
from fhir_mappings.features.features import label_of
from fhir_mappings.results.feature import Features
from models_onnx.peers import Peer
from models_onnx.score import Range

_NAMED = 3  # inputs on which a range depends, by name
# Over what time a published rate counts: models_onnx/training/published_coefficients.json, "rcri", outcome.
HORIZONS = {"CCS 2017": "30 days", "Lee 1999 validation": "in hospital"}
_SIDE_BY_SIDE = " · "
_NOT_HERE = "Not calibrated for this hospital."
_SOME = "; the other figures are not."
_REST = "; the rest from other hospitals' data"


class Beside(msgspec.Struct, frozen=True):
    """What stands beside the figures of a list.

    `averages`: the limits of a fitted model's average, which are not those of one person. `hangs`: what a range hangs
    on. `twice`: the usual figure of the headline, which the summary has told.
    """

    averages: bool = True
    hangs: bool = True
    twice: bool = True


_EVERYTHING = Beside()


def denominator(assessment: Assessment) -> int:
    """Of how many the card tells every figure, the usual ones too: 1,000 if one is rarer than 1 in 100 (DEC-40)."""
    return 1000 if any(figure < 0.01 for one in assessment.estimates for figure in _figures(one)) else 100


def _figures(told: Estimate) -> Iterator[float]:
    """Every probability that a card may tell of this outcome; of one that is not computable, between which it lies."""
    if told.score.has_figure or told.by_class:
        for limits in (_span(told), *told.by_class):
            yield from (limits.low, limits.high)
        yield from (end for end in (told.usual, told.score.low, told.score.high) if end is not None)
    elif _is_bounded(told):
        yield from (told.low, told.high)


def _is_bounded(told: Estimate) -> bool:
    """Whether what is not computable is told between two figures: it lacks one input."""
    return told.unknown is not None and len(told.score.needs) == 1


def leading(assessment: Assessment) -> Estimate | None:
    """What the summary tells: the headline; without one the first outcome that has a figure for each ASA class."""
    return assessment.headline or next((one for one in assessment.estimates if one.by_class), None)


def headline(assessment: Assessment, told: Estimate) -> tuple[str, str, str]:
    """The figure, what a range of it hangs on, and the usual figure, for a summary.

    "about 8 in 1,000"; "about 5 (under 1 to 43) in 1,000"; where there is no single number "8 to 16 in 1,000".
    """
    of, probability, span = denominator(assessment), told.score.probability, _span(told)
    unit, between_ends, (low, high) = f" in {of:,}", between(span, of), _counts(span, of)
    is_range = low != high
    usual = f" ({_usual(told, told.peer, of)})" if told.peer is not None else ""
    depends = f", {_depending(told, assessment.features)}" if is_range and not told.certain else ""
    if probability is None:
        return between_ends, f", {_depending(told, assessment.features)}", usual
    one = number_text.frequency(probability, of)
    figure = f"{one.removesuffix(unit)} ({between_ends.removesuffix(unit)}){unit}" if is_range else one
    return figure, depends, usual


def _depending(told: Estimate, features: Features) -> str:
    """On what the range of a headline hangs most."""
    names = [one.input for one in told.unknown.unknown] if told.unknown is not None else []
    return f"depending {'mostly ' if len(names) > 1 else ''}on {_listed(names[:1], features) or 'the exact age'}"


def figures(assessment: Assessment, beside: Beside = _EVERYTHING) -> list[str]:
    """What happens to so many such patients: a heading, and one outcome per line; for an open ASA class by class."""
    told = [one for one in assessment.estimates if one.score.has_figure or one.by_class]
    if not told:
        return []
    of = denominator(assessment)
    if any(one.by_class for one in told):
        heading = f"**Of {of:,} such patients in 30 days, by ASA class {by_class.CLASSES[0]}–{by_class.CLASSES[-1]}:**"
    else:
        heading = f"**Of {of:,} such patients, in 30 days:**"
    return [heading, "\n".join(f"- {_outcome(assessment, one, of, beside)}" for one in told)]


def _outcome(assessment: Assessment, told: Estimate, of: int, beside: Beside) -> str:
    """One outcome: "Death: 8 (usual 8)"; "Respiratory failure: 4–19, depending on sepsis"."""
    (low, high), notes = _counts(_span(told), of), []
    words = _joined(low, high)
    if told.by_class:
        words = _SIDE_BY_SIDE.join(_joined(*_counts(one, of)) for one in told.by_class)
    elif low != high:
        words += f", depending on {_hangs_on(told, assessment.features)}" if beside.hangs else ""
    elif beside.averages and told.score.low is not None and told.score.high is not None:
        average = _joined(*_counts(Range(told.score.low, told.score.high), of))
        notes += [f"model's average {average}"] if average != words else []
    if told.peer is not None and (beside.twice or told is not assessment.headline):
        notes.append(_usual(told, told.peer, of))
    return f"{told.outcome.on_card}: {words}" + (f" ({'; '.join(notes)})" if notes else "")


def _usual(told: Estimate, peer: Peer, of: int) -> str:
    """How often it happens to others after this operation; on the hospital's own scale where that is known."""
    return f"usual{' here' if told.score.recalibration is not None else ''} {number_text.count(peer.probability, of)}"


def _span(told: Estimate) -> Range:
    """From where to where the figure lies; the figure itself is always inside."""
    figure = told.score.probability
    ends = (told.low, told.high) if figure is None else (min(told.low, figure), max(told.high, figure))
    return Range(*ends)


def _counts(limits: Range, of: int) -> tuple[str, str]:
    """Both ends as they are told: two where what is not known leaves two figures."""
    low = number_text.count(limits.low, of)
    return low, low if limits.high == limits.low else number_text.count(limits.high, of)


def _joined(low: str, high: str) -> str:
    """As short as it can be said: "8", "4–19", "under 1 to 43"."""
    if low == high:
        return low
    return f"{low} to {high}" if low.startswith("under") else f"{low}–{high}"


def not_computable(assessment: Assessment, *, whys: bool = True) -> list[str]:
    """One line for all outcomes without an answer, and why; those that lack the same stand together."""
    lacking: dict[str, list[str]] = {}
    of = denominator(assessment)
    for told in assessment.estimates:
        if told.score.status == "not-computable" and not told.by_class:
            why = f" ({why_not(told, assessment.features, of)})" if whys else ""
            lacking.setdefault(why, []).append(told.outcome.short)
    groups = [f"{', '.join(outcomes)}{why}" for why, outcomes in lacking.items()]
    return [f"**No figure:** {'; '.join(groups)}."] if groups else []


def why_not(told: Estimate, features: Features, of: int) -> str:
    """What an outcome lacks, and between which figures it lies where only one input is lacking."""
    if not told.score.needs:
        return "no model grades this operation"
    words = f"needs {_listed(told.score.needs, features)}"
    return f"{words}; {between(Range(told.low, told.high), of)}" if _is_bounded(told) else words


def _listed(names: Sequence[str], features: Features) -> str:
    """Inputs in words: "ASA class and functional status"; "the exact age" of what is known only within limits."""
    inexact = {name for name in names if name in features and features[name].usable}
    labels = [("the exact " if name in inexact else "") + label_of(name, features) for name in names]
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)


def _hangs_on(told: Estimate, features: Features) -> str:
    """The unknown inputs that matter most: "cancer", "cancer and ASA class", "ASA class and 3 more inputs"."""
    names = [one.input for one in told.unknown.unknown] if told.unknown is not None else []
    if not names:
        return "the exact age"
    if len(names) <= _NAMED:
        return _listed(names, features)
    return f"{_listed(names[: _NAMED - 1], features)} and {len(names) - _NAMED + 1} more inputs"


def between(limits: Range, denominator: int) -> str:
    """ "4 to 10 in 1,000": both ends in one denominator."""
    low, high = _counts(limits, denominator)
    if low == high:
        return number_text.count_in(limits.high, denominator)
    return f"{low} to {high} in {denominator:,}"


def calibration(assessment: Assessment) -> str:
    """Which of the probabilities told were recalibrated for this hospital (DEC-30); points claim none."""
    told = [(one.outcome.short, one.score.recalibration) for one in assessment.computed]
    by = {outcome: found for outcome, found in told if found is not None}
    if not by:
        return _NOT_HERE
    kinds = {(one.number, one.approved_on) for one in by.values()}
    which = f" ({_approved(*kinds.pop())})" if len(kinds) == 1 else ""
    if len(by) == len(told):
        return f"Recalibrated for this hospital{which}."
    return f"Recalibrated for this hospital{which}: {', '.join(by)}{_SOME}"


def validity(assessment: Assessment, *, source: bool = True) -> str:
    """For whom, from whose data, what it is not, and as of when: the last line of every card."""
    told = calibration(assessment)
    if told == _NOT_HERE:
        data = "From other hospitals' data, not calibrated here" if source else "Not calibrated here"
    else:
        data = told.replace(_SOME, "; the rest is not" if not source else _REST).removesuffix(".")
    return f"For clinicians. {data}; informs only. Data as of {number_text.minute(assessment.as_of, assessment.zone)}."


def _approved(number: int, day: date | None) -> str:
    """ "number 2, 20 Nov 2026": which of the hospital's recalibrations, and when it was approved."""
    return f"number {number}" + (f", {number_text.calendar_day(day)}" if day else "")
