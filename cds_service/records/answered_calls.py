"""Every call of a tenant in a window as a validation report reads it: what was answered, and what it hung on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine, RowMapping, func, select

from cds_service.records import tables
from cds_service.tenants.speech import Speech

# A node of the version before leaves the instant of a card to the database, whose clock may be another.
_SKEW = timedelta(days=1)


class SpanOf(msgspec.Struct, frozen=True, gc=False):
    """From where to where a probability could lie."""

    low: float
    high: float


class MovedBy(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The recalibration that a told figure went through; its own figure is `raw_probability`."""

    number: int
    raw_probability: float | None = None


class PredictionTold(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One prediction of the discrete result; `shown`: it was the one told of its outcome."""

    outcome: str
    model: str = ""
    version: str = ""
    model_sha256: str = ""
    status: str = ""
    shown: bool = False
    probability: float | None = None
    peer_probability: float | None = None
    missing_range: SpanOf | None = None
    recalibration: MovedBy | None = None
    horizon_days: int | None = None

    @property
    def raw(self) -> float | None:
        """The model's own probability, before any recalibration."""
        return self.recalibration.raw_probability if self.recalibration is not None else self.probability


class InputTold(msgspec.Struct, frozen=True, gc=False):
    """One input: how it stood, and its value where there was one (numbers to two decimals)."""

    name: str
    status: str
    value: float | bool | str | None = None
    reason: str = ""
    comparator: str = ""


class ListMissed(msgspec.Struct, frozen=True, gc=False):
    """Of one list, how many entries were not understood, of how many."""

    list: str
    entries: int
    of: int


class KeptResult(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What of the discrete result a report needs; `speech` is not in rows of versions before 0.3."""

    predictions: tuple[PredictionTold, ...] = ()
    inputs: tuple[InputTold, ...] = ()
    not_understood: tuple[ListMissed, ...] = ()
    speech: Speech | None = None

    @property
    def told(self) -> Mapping[str, PredictionTold]:
        """By outcome the prediction that was told."""
        return {one.outcome: one for one in self.predictions if one.shown}


class AnsweredCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One call. `indicator`: of its card, shown or withheld; None where there was none. `orders_unmapped`: any."""

    id: str
    at: datetime
    hook: str
    status: int
    decision: str
    total_ms: float
    orders_unmapped: bool
    reason: str | None = None
    role: str = ""
    procedure_group: str | None = None
    band: str | None = None
    indicator: str | None = None
    suggestions: int = 0
    result: KeptResult | None = None


_result = msgspec.json.Decoder(KeptResult)


def answered_calls(engine: Engine, tenant_id: str, *, since: datetime, until: datetime) -> Iterator[AnsweredCall]:
    """Every call in the window but profiles that were looked at, oldest first, one at a time."""
    table = tables.evaluation.c
    cards = _cards(engine, tenant_id, since)
    names = ("id", "hook", "status", "decision", "reason", "user_reference", "procedure_group", "band", "total_ms")
    columns = [table[name] for name in (*names, "received_at", "unmapped", "result")]
    statement = (
        select(*columns)
        .where(table.tenant_id == tenant_id, table.received_at >= since, table.received_at < until)
        .where(table.decision != "profile")
        .order_by(table.received_at, table.id)
        .execution_options(yield_per=500)
    )
    with engine.connect() as connection:
        for row in connection.execute(statement).mappings():
            yield _call(row, cards.get(row["id"]))


def _call(row: RowMapping, card: tuple[str, int] | None) -> AnsweredCall:
    return AnsweredCall(
        id=row["id"],
        at=row["received_at"],
        hook=row["hook"],
        status=row["status"],
        decision=row["decision"],
        reason=row["reason"],
        role=(row["user_reference"] or "").partition("/")[0],
        procedure_group=row["procedure_group"],
        band=row["band"],
        total_ms=row["total_ms"],
        orders_unmapped=bool(row["unmapped"]) and row["unmapped"] != "[]",
        indicator=card[0] if card else None,
        suggestions=card[1] if card else 0,
        result=None if row["result"] is None else _result.decode(row["result"]),
    )


def _cards(engine: Engine, tenant_id: str, since: datetime) -> dict[str, tuple[str, int]]:
    """By evaluation the indicator of its card and how many suggestions it had."""
    cards, offered = tables.card.c, tables.suggestion.c
    statement = (
        select(cards.evaluation_id, cards.indicator, func.count(offered.uuid))
        .select_from(tables.card.outerjoin(tables.suggestion, offered.card_uuid == cards.uuid))
        .where(cards.tenant_id == tenant_id, cards.received_at >= since - _SKEW)
        .group_by(cards.evaluation_id, cards.uuid, cards.indicator)
    )
    with engine.connect() as connection:
        return {of: (indicator, count) for of, indicator, count in connection.execute(statement)}
