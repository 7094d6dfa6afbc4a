"""How much was lost or given altogether, as far as the record says; a range where it can be read in two ways."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from fhir_mappings.during.course import Amount, AmountKind, Course

# How a site records volumes of an instant: each the total so far, or each for itself.
Recorded = Literal["totals", "each", "unstated"]
NOT_RECORDED, UNREAD, LATE = "not-recorded", "unreadable", "recorded-after-the-end"


class AmountTotal(Struct, frozen=True):
    """From `low` to `high` mL, the same where the record has one reading; None, for `reason`, where nothing is told.

    `readings`: how many volumes it comes from.
    """

    kind: AmountKind
    low: float | None
    high: float | None
    readings: int = 0
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether there is one number."""
        return self.low is not None and self.low == self.high


def amount_total(course: Course, kind: AmountKind, recorded: Recorded = "unstated") -> AmountTotal:
    """The total of one kind. What somebody recorded and cannot be read leaves it open: it is not told as less.

    Blood loss that was charted after the recorded end leaves it open likewise: it may be that of the operation. What
    is given after the end was not given in the operation.

    Volumes of periods that do not overlap are added. Of those of an instant FHIR does not say whether each is the total
    so far: a site says it, else they are told as from the last of them to their sum.
    """
    found = [amount for amount in course.amounts if amount.kind == kind]
    if any(part.about == kind for part in course.unread):
        return AmountTotal(kind, None, None, len(found), UNREAD)
    if kind == "blood-loss" and kind in course.late:
        return AmountTotal(kind, None, None, len(found), LATE)
    if not found:
        return AmountTotal(kind, None, None, 0, NOT_RECORDED)
    periods = _of_periods([amount for amount in found if amount.start is not None])
    instants = _of_instants([amount.millilitres for amount in found if amount.start is None], recorded)
    if periods is None or instants is None or recorded == "each":
        low, high = (sum(ends) for ends in zip(periods or (0, 0), instants or (0, 0), strict=True))
    else:  # a total may hold the periods already
        low, high = max(periods[0], instants[0]), periods[1] + instants[1]
    return AmountTotal(kind, low, high, len(found))


def _of_periods(found: Sequence[Amount]) -> tuple[float, float] | None:
    if not found:
        return None
    total = sum(amount.millilitres for amount in found)
    spans = sorted((amount.start or 0.0, amount.at) for amount in found)
    overlap = any(later[0] < earlier[1] for earlier, later in pairwise(spans))
    return (max(amount.millilitres for amount in found) if overlap else total), total


def _of_instants(values: Sequence[float], recorded: Recorded) -> tuple[float, float] | None:
    if not values:
        return None
    last, total = values[-1], sum(values)
    if len(values) == 1 or recorded == "each":
        return total, total
    if recorded == "totals":
        return last, max(values)  # a total that falls was corrected, or the larger one was right
    return min(last, total), total
