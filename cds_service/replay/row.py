"""One past order and what is answered to it: a line of JSON, whose letters depend on nothing but chart and tenant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from cds_service.cards.discrete import Result

Decision = Literal["card", "silence", "error"]


class ReplayedRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What would have been shown, or why not. `undecided`: by list, entries of which nobody knows how they stood then.

    `id`: of the signing; the same data give the same id. `result`: every figure and every input, unrounded where the
    card rounds.
    """

    id: str
    tenant: str
    patient: str
    orders: tuple[str, ...]
    as_of: datetime
    day_only: bool = False
    decision: Decision = "silence"
    reason: str | None = None
    group: str | None = None
    outcome: str | None = None
    probability: float | None = None
    band: str | None = None
    indicator: str | None = None
    summary: str | None = None
    detail: str | None = None
    suggestions: tuple[str, ...] = ()
    undecided: Mapping[str, int] = {}
    result: Result | None = None


_encoder = msgspec.json.Encoder()


def encoded(row: ReplayedRow) -> bytes:
    """The row as one line, without its end."""
    return _encoder.encode(row)
