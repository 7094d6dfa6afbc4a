"""The result as data: every prediction and every input with its status, for integrators.

Named as one contract for cards, pages and RiskAssessments; a member without a value is left out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from cds_service.advice.assessment import Assessment, Estimate
from cds_service.cards import added_note
from cds_service.cards.added_note import AddedBySite
from cds_service.tenants.speech import Speech
from fhir_mappings.results.feature import Feature, FeatureValue
from fhir_mappings.terminology.understanding import NotUnderstood
from models_onnx.recalibration import Recalibration
from models_onnx.score import Contribution, PointsRange, PublishedRate, Range, Score


class ProcedureResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """The operation: its group, its code, and the order that asks for it.

    `occurrence`, `duration_hours`: in the record only, where the risk profile needs them to ask the same again.
    """

    group: str
    system: str
    code: str
    order: str | None
    occurrence: str | None = None
    duration_hours: float | None = None


class Rate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """What a publication reports for this number of points."""

    source: str
    probability: float
    low: float | None = None
    high: float | None = None


class PointsSpan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """From where to where points lie, and what publications report for either end."""

    low: float
    high: float
    rates_low: tuple[Rate, ...] = ()
    rates_high: tuple[Rate, ...] = ()


class FittedOn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """The hospital's own cases, from `first` to `last` day."""

    n: int
    events: int
    first: date
    last: date


class Recalibrated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """By what the hospital's figure differs from the model's own, which is `raw_probability` (R-F11)."""

    number: int
    raw_probability: float | None
    intercept: float
    slope: float
    peer_shift: float | None
    fitted_on: FittedOn
    approved: date | None


class Prediction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """One model's answer; probabilities unrounded."""

    outcome: str
    horizon: str
    model: str
    version: str
    model_sha256: str
    status: str
    horizon_days: int | None = None
    shown: bool = False
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    band: str | None = None
    peer_probability: float | None = None
    peer_group: str | None = None
    recalibration: Recalibrated | None = None
    contributions: tuple[Contribution, ...] = ()
    missing_range: Range | None = None
    points: float | None = None
    points_range: PointsSpan | None = None
    maximum_points: float | None = None
    published_rates: tuple[Rate, ...] = ()
    reason: str | None = None
    needs: tuple[str, ...] = ()
    added: AddedBySite | None = None


class Input(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", gc=False):
    """One input: its value as used, from where and when; or why there is none. `time`: a date, or an instant in UTC."""

    name: str
    status: str
    value: FeatureValue | None = None
    unit: str | None = None
    time: datetime | date | None = None
    source: str | None = None
    reason: str | None = None
    comparator: str | None = None
    flags: tuple[str, ...] = ()
    recorded_value: float | None = None
    recorded_unit: str | None = None


class Code(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A code that was not understood, and in how many entries it stands."""

    system: str
    code: str
    entries: int


class Missed(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What of one list was not understood (DEC-37): entries, of how many, by reason, and their codes."""

    list: str
    entries: int
    of: int
    reasons: dict[str, int]
    codes: tuple[Code, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """The whole assessment. `speech`: in the record only, what its card hung on."""

    assessment_id: str
    as_of: str
    procedure: ProcedureResult
    predictions: tuple[Prediction, ...]
    inputs: tuple[Input, ...]
    not_understood: tuple[Missed, ...] = ()
    speech: Speech | None = None


def result(assessment: Assessment) -> dict[str, Any]:
    """The whole assessment as JSON has it."""
    told: dict[str, Any] = msgspec.to_builtins(of(assessment))
    return told


def of(assessment: Assessment) -> Result:
    """The whole assessment."""
    shown = {estimate.score.model: estimate for estimate in assessment.estimates}
    peers = f"{assessment.procedure.label}, adults"
    procedure = assessment.procedure
    return Result(
        assessment_id=assessment.assessment_id,
        as_of=_instant(assessment.as_of),
        procedure=ProcedureResult(
            group=procedure.group, system=procedure.system, code=procedure.code, order=procedure.order
        ),
        predictions=tuple([_prediction(score, shown.get(score.model), peers) for score in assessment.scores])
        + tuple(
            msgspec.structs.replace(_prediction(one.score, shown.get(one.score.model), peers), added=added_note.of(one))
            for one in assessment.added
        ),
        inputs=tuple([_input(feature) for feature in assessment.features.values()]),
        not_understood=_missed(assessment.not_understood),
    )


def _missed(found: NotUnderstood) -> tuple[Missed, ...]:
    return tuple(
        Missed(
            list=key,
            entries=one.entries,
            of=one.read,
            reasons={str(why): count for why, count in one.reasons.items()},
            codes=tuple(Code(*each) for each in one.most_frequent),
        )
        for key, one in found.lists.items()
    )


def _prediction(score: Score, shown: Estimate | None, peers: str) -> Prediction:
    computed, told = score.status == "computed", score.has_figure
    peer = shown.peer if shown is not None and told else None
    return Prediction(
        outcome=score.outcome,
        horizon=score.horizon,
        model=score.model,
        version=score.version,
        model_sha256=score.sha256,
        status=score.status,
        horizon_days=score.horizon_days,
        shown=shown is not None,
        probability=score.probability if computed else None,
        low=score.low if computed else None,
        high=score.high if computed else None,
        band=shown.told_band if shown is not None and told else None,
        peer_probability=peer.probability if peer else None,
        peer_group=peers if peer else None,
        recalibration=_recalibrated(score, score.recalibration) if score.recalibration and told else None,
        contributions=score.contributions if told else (),
        missing_range=score.missing_range,
        points=score.points,
        points_range=_span(score.points_range) if score.points_range is not None else None,
        maximum_points=score.maximum_points if score.has_points else None,
        published_rates=tuple([_rate(rate) for rate in score.published_rates]),
        reason=score.reason,
        needs=score.needs,
    )


def _recalibrated(score: Score, by: Recalibration) -> Recalibrated:
    return Recalibrated(
        number=by.number,
        raw_probability=score.raw_probability,
        intercept=by.intercept,
        slope=by.slope,
        peer_shift=by.peer_shift,
        fitted_on=FittedOn(n=by.n, events=by.events, first=by.first, last=by.last),
        approved=by.approved_on,
    )


def _span(points: PointsRange) -> PointsSpan:
    return PointsSpan(
        low=points.low,
        high=points.high,
        rates_low=tuple([_rate(rate) for rate in points.rates_low]),
        rates_high=tuple([_rate(rate) for rate in points.rates_high]),
    )


def _rate(rate: PublishedRate) -> Rate:
    return Rate(source=rate.source, probability=rate.probability, low=rate.low, high=rate.high)


def _input(feature: Feature) -> Input:
    """People and integrators are told 2 decimals; models get the unrounded number (inputs 1.4)."""
    value, recorded = feature.value, feature.recorded_value
    return Input(
        name=feature.name,
        status=feature.status,
        value=round(value, 2) if isinstance(value, float) else value,
        unit=feature.unit if value is not None and feature.unit not in ("", "1") else None,
        time=None if feature.time is None else _time(feature.time, date_only=feature.date_only),
        source=feature.source or None,
        reason=feature.reason or None,
        comparator=feature.comparator or None,
        flags=feature.flags,
        recorded_value=recorded,
        recorded_unit=(feature.recorded_unit or "1") if recorded is not None else None,
    )


def _time(time: datetime, *, date_only: bool) -> datetime | date:
    """As a date where no time of day was recorded; msgspec writes it, which takes a tenth of isoformat."""
    if date_only:
        return time.date()
    in_utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return in_utc.replace(microsecond=0) if in_utc.microsecond else in_utc


def _instant(time: datetime) -> str:
    return f"{time.astimezone(UTC).isoformat()[:19]}Z"
