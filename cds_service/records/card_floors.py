"""What the floors of a card would have done in a tenant's recorded evaluations, whatever was shown (DEC-39)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, select

from cds_service.follow_up.planned_operations import planned_operations
from cds_service.records import tables
from cds_service.records.asked_calls import asked_calls
from cds_service.tenants import speaking

FEWEST = 100
# A floor is the default times one of these: from a twentieth of it to twenty times, in steps of 5 %.
FACTORS = tuple(1.05**step for step in range(-61, 62))


class Risk(msgspec.Struct, frozen=True):
    """What a card would open by of one outcome, and how often it happens after the same operation."""

    outcome: str
    probability: float
    usual: float | None


Operation = tuple[Risk, ...]


def assessed_operations(
    engine: Engine, tenant_id: str, *, since: datetime, zone: ZoneInfo | None = None
) -> tuple[Operation, ...]:
    """Every operation that was assessed, once, as it was last asked about (follow_up/planned_operations.py)."""
    table = tables.evaluation.c
    statement = (
        select(table.id, table.result)
        .where(table.tenant_id == tenant_id, table.received_at >= since, table.result.is_not(None))
        .execution_options(yield_per=500)
    )
    risks: dict[str, Operation] = {}
    with engine.connect() as connection:
        for row in connection.execute(statement):
            told = msgspec.json.decode(row.result).get("predictions", ())
            risks[row.id] = tuple(_risk(one) for one in told if _counts(one))
    asked = (call for call in asked_calls(engine, tenant_id, since=since) if call.evaluation_id in risks)
    return tuple(risks[of.last_before.evaluation_id] for of in planned_operations(asked, zone=zone))


def share(operations: Sequence[Operation], floors: Mapping[str, float]) -> float:
    """The share of the operations that these floors give a card."""
    return sum(_opens(one, floors) for one in operations) / len(operations)


def within(operations: Sequence[Operation], budget: float) -> dict[str, float] | None:
    """The shipped floors, all by the least factor that keeps the budget; None where no factor does."""
    for factor in FACTORS:
        found = {outcome: min(round(floor * factor, 4), 1.0) for outcome, floor in speaking.CARD_FLOORS.items()}
        if share(operations, found) <= budget:
            return found
    return None


def _opens(operation: Operation, floors: Mapping[str, float]) -> bool:
    return any(
        speaking.reaches(one.probability, floors[one.outcome], usual=one.usual, ratio=speaking.CARD_RATIO)
        for one in operation
    )


def _counts(told: Mapping[str, Any]) -> bool:
    return bool(told.get("shown")) and told["outcome"] in speaking.CARD_FLOORS and _figure(told) is not None


def _risk(told: Mapping[str, Any]) -> Risk:
    return Risk(told["outcome"], _figure(told) or 0.0, told.get("peerProbability"))


def _figure(told: Mapping[str, Any]) -> float | None:
    """As `Estimate.spoken_of`: the average, of a range the high end, where the model lacks an input the low end."""
    if (probability := told.get("probability")) is not None:
        return float(probability)
    spread = told.get("missingRange")
    return None if spread is None else float(spread["high" if told["status"] == "range" else "low"])
