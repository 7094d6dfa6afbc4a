"""How a risk compares with the usual one of the same operation: four bands, and where each begins (DEC-32)."""

from __future__ import annotations

from typing import Literal

import msgspec

from cds_service.tenants import speaking
from models_onnx.peers import Peer

Band = Literal["below-typical", "typical", "above-typical", "well-above-typical"]
BAND_NAMES: tuple[Band, ...] = ("below-typical", "typical", "above-typical", "well-above-typical")


class BandLimits(msgspec.Struct, frozen=True):
    """Ratios to the peers' figure at which the next band begins (DEC-32), and the least risk of a warning (DEC-39).

    `rare`, `common`: probability (0 to 1) from which an outcome may be a warning (`speaking.reaches`).
    """

    typical: float = 0.67
    above: float = 1.5
    well_above: float = 3.0
    rare: float = speaking.WARNING_RARE
    common: float = speaking.WARNING_COMMON


def band(probability: float | None, peer: Peer | None, limits: BandLimits) -> Band | None:
    """How the risk compares with peers of the same procedure group; no peer figure, no band (DEC-32)."""
    if probability is None or peer is None:
        return None
    begins = (limits.typical, limits.above, limits.well_above)
    steps = sum(speaking.at_least(probability, ratio * peer.probability) for ratio in begins)
    return BAND_NAMES[min(steps, 3)]
