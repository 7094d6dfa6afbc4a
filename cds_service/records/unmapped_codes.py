"""By which codes a site orders operations that are in no procedure group, the most frequent first."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, func, select

from cds_service.records import tables
from cds_service.records.rows import Pair

_pairs = msgspec.json.Decoder(tuple[Pair, ...])


class UnmappedCodes(Struct, frozen=True):
    """(system, code) → in how many evaluations, and how many evaluations there were in all."""

    evaluations: int
    codes: tuple[tuple[Pair, int], ...]


def count(engine: Engine, tenant_id: str, *, since: datetime) -> UnmappedCodes:
    """What a tenant's record says since then; an order without any code stands as ("", "")."""
    evaluation = tables.evaluation.c
    its_own = (evaluation.tenant_id == tenant_id, evaluation.received_at >= since)
    statement = select(evaluation.unmapped).where(*its_own, evaluation.unmapped.is_not(None))
    found: Counter[Pair] = Counter()
    with engine.connect() as connection:
        total = connection.execute(select(func.count()).select_from(tables.evaluation).where(*its_own)).scalar_one()
        for (told,) in connection.execute(statement.execution_options(yield_per=500)):
            found.update(_pairs.decode(told))
    return UnmappedCodes(total, tuple(sorted(found.items(), key=lambda one: (-one[1], one[0]))))
