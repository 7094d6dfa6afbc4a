"""When to speak (DEC-39): the limits of a card and of a warning, on the risk of this person by this operation.

Chosen by what they catch among real operations, out of fold: docs/when-a-card-speaks.md has the table and the source.
"""

from __future__ import annotations

# From so many times its limit on, a probability counts for anybody; below, it must also stand against the usual.
ANYBODY = 2.0
# How many times the usual figure of the operation a probability must be to count between its limit and twice that.
CARD_RATIO = 1.0
WARNING_RATIO = 1.5
# By outcome, the probability (0 to 1) from which a card opens in production. Only that of any complication could be
# chosen by what it catches: the data count few deaths, and tell nothing of heart attacks and lungs.
CARD_FLOORS = {
    "30-day-death": 0.015,
    "any-complication": 0.16,
    "cardiac-arrest-or-mi": 0.02,
    "respiratory-failure": 0.03,
    "pneumonia": 0.03,
}
WARNING_RARE = 0.03
WARNING_COMMON = 0.18


_ROUNDING = 1e-9  # of a product of two figures: 1.5 * 0.2 is 0.30000000000000004


def at_least(probability: float, limit: float) -> bool:
    """Whether a probability is at its limit or beyond; one that is only a rounding below it is at it."""
    return probability >= limit * (1.0 - _ROUNDING)


def reaches(probability: float, limit: float, *, usual: float | None, ratio: float) -> bool:
    """Whether a risk is high enough to speak of: high for anybody, or high and not the usual of its operation.

    `usual`: how often it happens after the same operation; where that is not known nothing stands against it, and only
    twice the limit counts.
    """
    if at_least(probability, ANYBODY * limit):
        return True
    return usual is not None and at_least(probability, max(limit, ratio * usual))
