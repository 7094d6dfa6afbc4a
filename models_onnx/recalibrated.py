"""Scores, ranges and peers' figures as one hospital's recalibration moves them; what it leaves out stays as it was.

A contribution c becomes slope · c and the reference moves with the logit, so that they still add up. Points are
never recalibrated: they claim no probability (DEC-28).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from models_onnx.missing_ranges import MissingRange, Unknown
from models_onnx.model import INTERVAL_90, sigmoid
from models_onnx.peers import Peer
from models_onnx.recalibration import Recalibration
from models_onnx.score import Contribution, Range, Score


def score(raw: Score, by: Recalibration) -> Score:
    """A score after recalibration, its own probability kept beside; one without a number only says by what."""
    if raw.status == "not-computable":
        return msgspec.structs.replace(raw, recalibration=by)
    if raw.status == "range" and raw.missing_range is not None:
        return msgspec.structs.replace(
            raw,
            recalibration=by,
            contributions=tuple(Contribution(one.input, by.slope * one.log_odds) for one in raw.contributions),
            missing_range=Range(*_moved(raw.missing_range.low, raw.missing_range.high, by)),
        )
    if raw.status != "computed" or raw.logit is None or raw.reference_logit is None:
        return raw
    logit = by.logit(raw.logit)
    return msgspec.structs.replace(
        raw,
        recalibration=by,
        raw_probability=raw.probability,
        probability=sigmoid(logit),
        logit=logit,
        reference_logit=by.logit(raw.reference_logit),
        low=_end(raw.low, raw.logit, by),
        high=_end(raw.high, raw.logit, by),
        contributions=tuple(Contribution(one.input, by.slope * one.log_odds) for one in raw.contributions),
    )


def missing_range(raw: MissingRange, by: Recalibration, thresholds: Sequence[float]) -> MissingRange:
    """How far missing inputs could move the recalibrated figure; `thresholds` are on that figure's scale."""
    unknown = tuple(_unknown(one, by, thresholds) for one in raw.unknown)
    return msgspec.structs.replace(raw, range=Range(*_moved(raw.range.low, raw.range.high, by)), unknown=unknown)


def peer(raw: Peer, by: Recalibration) -> Peer | None:
    """The peers' figure on this hospital's scale: a recalibrated figure compares with nothing else (DEC-32)."""
    if by.peer_shift is None:
        return None
    return msgspec.structs.replace(raw, probability=sigmoid(log_odds(raw.probability) + by.peer_shift))


def log_odds(probability: float) -> float:
    """The logit of a probability between 0 and 1, both excluded."""
    return math.log(probability / (1.0 - probability))


def _end(raw: float | None, centre: float, by: Recalibration) -> float | None:
    """One end of the 90 % interval: the model's own half width times the slope, and what the fit here leaves unsure."""
    if raw is None:
        return None
    own = by.slope * (log_odds(raw) - centre)
    fitted = INTERVAL_90 * math.sqrt(by.variance(centre))
    return sigmoid(by.logit(centre) + math.copysign(math.hypot(own, fitted), own))


def _moved(low: float, high: float, by: Recalibration) -> tuple[float, float]:
    return sigmoid(by.logit(log_odds(low))), sigmoid(by.logit(log_odds(high)))


def _unknown(raw: Unknown, by: Recalibration, thresholds: Sequence[float]) -> Unknown:
    low, high = _moved(raw.low, raw.high, by)
    crosses = raw.spread > 0 and any(low < threshold <= high for threshold in thresholds)
    return Unknown(raw.input, low, high, by.slope * raw.spread, crosses)
