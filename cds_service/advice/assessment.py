"""Features and scores become an Assessment: which numbers are told, their bands, the headline, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from cds_service.advice import by_class, estimate_ranges, site_models
from cds_service.advice.bands import BAND_NAMES, Band, BandLimits, band
from cds_service.advice.by_value import Version
from cds_service.advice.estimate_ranges import moved, version_of, with_range
from cds_service.advice.model_inputs import NOTHING_UNKNOWN, Unknowns
from cds_service.advice.outcomes import OUTCOMES, Outcome
from cds_service.advice.site_models import NOTHING_OWN, SiteOwn
from cds_service.tenants import speaking
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.patient import demographics
from fhir_mappings.results.feature import Feature, Features
from fhir_mappings.terminology.understanding import ALL_UNDERSTOOD, NotUnderstood
from models_onnx import recalibrated
from models_onnx.added_model import AddedAnswer
from models_onnx.missing_ranges import MissingRange
from models_onnx.recalibration import Recalibration
from models_onnx.registry import Peer, Registry
from models_onnx.score import Range, Score

_NO_LONGER_PREGNANT_YEARS = 56


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one outcome: the score that answers, and how it compares with the same operation's peers.

    `unknown`: how far the missing inputs could move it, also where it cannot be computed without them.
    `band`: of its figure, of a range of its low end; `certain`: nothing that is unknown could move it to another band.
    `by_class`: where the ASA class is not known, the figure for each class (by_class.py).
    """

    outcome: Outcome
    score: Score
    peer: Peer | None = None
    band: Band | None = None
    certain: bool = True
    unknown: MissingRange | None = None
    by_class: tuple[Range, ...] = ()

    @property
    def told_band(self) -> Band | None:
        """The band that may be told: only where everything that is possible lies in one (DEC-38)."""
        return self.band if self.certain else None

    @property
    def usual(self) -> float | None:
        """How often it happens after the same operation, where that is known."""
        return self.peer.probability if self.peer is not None else None

    @property
    def spoken_of(self) -> float:
        """What a card opens by: the average; the high end of a range; the low end where the model lacks an input."""
        if self.score.probability is not None:
            return self.score.probability
        return self.high if self.score.has_figure else self.low

    @property
    def low(self) -> float:
        """The least probability that what is known allows."""
        return self.unknown.range.low if self.unknown is not None else self.score.probability or 0.0

    @property
    def high(self) -> float:
        """The greatest probability that what is known allows."""
        return self.unknown.range.high if self.unknown is not None else self.score.probability or 0.0


class Occasion(msgspec.Struct, frozen=True):
    """Which assessment it is, of which instant (aware), in the hospital's zone."""

    assessment_id: str
    as_of: datetime
    zone: ZoneInfo


class Assessment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything that may be said of this patient and this operation, before it is put into words.

    `challengers` are for the record alone and may not be said (DEC-36). `added`: what the site's own models say; those
    that a validation report stands behind are among the estimates too (DEC-46). `inputs`: of every model that is told,
    each once, in the order of the outcomes.
    """

    assessment_id: str
    as_of: datetime
    zone: ZoneInfo
    procedure: PlannedProcedure
    features: Features
    scores: tuple[Score, ...]
    challengers: tuple[Score, ...] = ()
    added: tuple[AddedAnswer, ...] = ()
    limits: BandLimits
    estimates: tuple[Estimate, ...]
    headline: Estimate | None
    indicator: Literal["info", "warning"]
    inputs: tuple[str, ...]
    unchecked: tuple[str, ...] = ()
    not_understood: NotUnderstood = ALL_UNDERSTOOD

    @cached_property
    def today(self) -> datetime:
        """The instant of the hook in the hospital's zone."""
        return self.as_of.astimezone(self.zone)

    @cached_property
    def computed(self) -> tuple[Estimate, ...]:
        """The estimates that have a probability, or a range of it, the headline first."""
        return tuple(estimate for estimate in self.estimates if estimate.score.has_figure)

    @property
    def others(self) -> tuple[Estimate, ...]:
        """The estimates that have a probability, without the headline."""
        return tuple(estimate for estimate in self.computed if estimate is not self.headline)

    @cached_property
    def unusable(self) -> tuple[Feature, ...]:
        """The inputs of the told models that could not be used, each with its reason."""
        asked = [self.features[name] for name in self.inputs]
        return tuple([one for one in asked if not one.usable])


def assess(
    features: Features,
    scores: Sequence[Score],
    *,
    procedure: PlannedProcedure,
    models: Registry,
    limits: BandLimits,
    occasion: Occasion,
    own: SiteOwn = NOTHING_OWN,
    unknowns: Unknowns = NOTHING_UNKNOWN,
) -> Assessment:
    """Choose for each outcome the first model that answers (DEC-36), compare with peers, and pick the headline.

    `unknowns`: what the record leaves open; where pregnancy is possible and not known, the card says so (inputs 7).
    `own`: recalibrations, by which figures and peers are told, and the answers of the site's own models, never moved.
    """
    group = procedure.group
    by: dict[Version, Recalibration] = {}
    ranges = estimate_ranges.ranges(features, unknowns.opened, group=group, models=models, limits=limits)
    if own.recalibrations:
        by = {version_of(one): its for one in scores if (its := own.recalibrations.get(one.sha256)) is not None}
        scores = tuple(recalibrated.score(one, by[version_of(one)]) if version_of(one) in by else one for one in scores)
        peers = {outcome.name: models.peer(outcome.name, group) for outcome in OUTCOMES}
        ranges = {of: moved(one, by.get(of), peers[one.outcome], limits) for of, one in ranges.items()}
    scores = tuple([with_range(one, ranges.get(version_of(one))) for one in scores] if ranges else scores)
    classes = by_class.figures(features, unknowns.opened, models=models, by=by)
    champions = models.champions(scores)
    by_outcome: dict[str, dict[str, Score]] = {}
    for one in champions:
        by_outcome.setdefault(one.outcome, {})[one.model] = one
    estimates = tuple(
        _estimate(
            outcome,
            score,
            unknown=ranges.get(version_of(score)),
            by_class=classes.get(version_of(score), ()),
            peer=models.peer(outcome.name, group),
            limits=limits,
        )
        for outcome in OUTCOMES
        if (score := _told(outcome, by_outcome.get(outcome.name, {}), models)) is not None
    )
    inputs = models.inputs_of(tuple([version_of(estimate.score) for estimate in estimates]))
    if own.added:
        told = site_models.outcomes(own.added)
        estimates += tuple([Estimate(outcome=of, score=one.score, unknown=one.unknown) for of, one in told])
        inputs = site_models.inputs(own.added, beside=inputs)
    headline = _headline(estimates, limits)
    return Assessment(
        assessment_id=occasion.assessment_id,
        as_of=occasion.as_of,
        zone=occasion.zone,
        procedure=procedure,
        features=features,
        scores=champions,
        challengers=(*models.challengers(scores), *own.challengers),
        added=own.added,
        limits=limits,
        estimates=tuple(sorted(estimates, key=lambda estimate: estimate is not headline)),
        headline=headline,
        indicator="warning" if headline is not None and _warns(headline, limits) else "info",
        inputs=inputs,
        unchecked=("pregnancy",) if unknowns.pregnancy == "unknown" and _may_be_pregnant(features) else (),
        not_understood=unknowns.not_understood,
    )


def _may_be_pregnant(features: Features) -> bool:
    """Not recorded as male, and below 56 years or of unknown age: only there is it a question."""
    youngest = demographics.youngest(features["age"])
    return features["sex"].value != "male" and (youngest is None or youngest < _NO_LONGER_PREGNANT_YEARS)


def _told(outcome: Outcome, by_model: Mapping[str, Score], models: Registry) -> Score | None:
    """The first score in the registry's order that has an answer; else the first, to say what it lacks.

    Points that cannot be counted are not told: an estimate that lacks an input is news, a count is not.
    """
    ordered = [by_model[model] for model in models.preferred.get(outcome.name, ()) if model in by_model]
    answering = (score for score in ordered if score.has_figure or score.has_points)
    lacking = (score for score in ordered if score.status == "not-computable")
    return next(answering, None) or (next(lacking, None) if outcome.may_head else None)


def _estimate(
    outcome: Outcome,
    score: Score,
    *,
    unknown: MissingRange | None,
    by_class: tuple[Range, ...],
    peer: Peer | None,
    limits: BandLimits,
) -> Estimate:
    """`unknown`: how far it could move; `by_class`: its figure for each ASA class."""
    if peer is not None and score.recalibration is not None:
        peer = recalibrated.peer(peer, score.recalibration)
    ends = unknown.range if unknown is not None else None
    figure = ends.low if ends is not None and score.status == "range" else score.probability
    return Estimate(
        outcome=outcome,
        score=score,
        peer=peer,
        band=band(figure, peer, limits),
        certain=ends is None or band(ends.low, peer, limits) == band(ends.high, peer, limits),
        unknown=unknown,
        by_class=by_class,
    )


def _headline(estimates: Sequence[Estimate], limits: BandLimits) -> Estimate | None:
    """What warns, then the highest band; on a tie the outcome that stands first. One without a band comes last."""

    def rank(estimate: Estimate) -> tuple[bool, int]:
        return _warns(estimate, limits), BAND_NAMES.index(estimate.band) if estimate.band else -1

    candidates = [estimate for estimate in estimates if estimate.outcome.may_head and estimate.score.has_figure]
    return max(candidates, key=rank, default=None)


def _warns(estimate: Estimate, limits: BandLimits) -> bool:
    """Whether the least that is known is a risk to warn of: a warning never stands because something is missing."""
    least = {"rare": limits.rare, "common": limits.common}.get(estimate.outcome.frequency)
    usual, ratio = estimate.usual, speaking.WARNING_RATIO
    return least is not None and speaking.reaches(estimate.low, least, usual=usual, ratio=ratio)
