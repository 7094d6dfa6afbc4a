"""How far each estimate could move by what is not known, on the hospital's own scale where it has one."""

from __future__ import annotations

import msgspec

from cds_service.advice import model_inputs
from cds_service.advice.bands import BandLimits
from cds_service.advice.by_value import Version
from cds_service.advice.outcomes import OUTCOMES
from fhir_mappings.results.feature import Features
from models_onnx import inexact_inputs, recalibrated
from models_onnx.missing_ranges import MissingRange
from models_onnx.open_inputs import Open
from models_onnx.recalibration import Recalibration
from models_onnx.registry import Peer, Registry
from models_onnx.score import Score


def ranges(
    features: Features, opened: Open, *, group: str, models: Registry, limits: BandLimits
) -> dict[Version, MissingRange]:
    """By version, how far what it does not exactly know could move it; the limits of the bands may be crossed."""
    limited = model_inputs.limits(features)
    unusable = [name for name, one in features.items() if not one.usable]
    if not limited and not models.may_range_over(unusable):
        return {}
    thresholds = {outcome.name: _thresholds(models.peer(outcome.name, group), limits) for outcome in OUTCOMES}
    values = model_inputs.values(features)
    found = inexact_inputs.ranges(models, values, limited, thresholds=thresholds, opened=opened)
    return {version_of(entry): entry for entry in found}


def moved(one: MissingRange, by: Recalibration | None, peer: Peer | None, limits: BandLimits) -> MissingRange:
    """The range on the hospital's own scale, where the model was recalibrated."""
    if by is None:
        return one
    return recalibrated.missing_range(one, by, _thresholds(peer and recalibrated.peer(peer, by), limits))


def _thresholds(peer: Peer | None, limits: BandLimits) -> tuple[float, ...]:
    """The probabilities at which the next band begins; none without peers."""
    begins = (limits.typical, limits.above, limits.well_above)
    return tuple(peer.probability * ratio for ratio in begins) if peer is not None else ()


def version_of(one: Score | MissingRange) -> Version:
    """A champion and its challengers have one name."""
    return one.model, one.version


def with_range(score: Score, unknown: MissingRange | None) -> Score:
    """The score with how far it could move."""
    return score if unknown is None else msgspec.structs.replace(score, missing_range=unknown.range)
