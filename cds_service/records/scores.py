"""What each version of each model said, a row each, with what happened: champions beside challengers (R-F09, R-F13).

For R, Python or Seismometer: score, target, cohort columns and time. It holds no patient's, user's or order's id;
`evaluation_id` leads back to the record for whoever may read that.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO

import msgspec
from sqlalchemy import Engine, select

from cds_service.records import tables

COLUMNS = (
    "evaluation_id",
    "received_at",
    "hook",
    "mode",
    "decision",
    "reason",
    "procedure_group",
    "outcome",
    "model",
    "version",
    "state",
    "status",
    "probability",
    "raw_probability",
    "recalibration",
    "points",
    "occurred",
)


def to_csv(engine: Engine, tenant_id: str, out: TextIO, *, since: datetime) -> int:
    """One row per evaluation and version that was scored, oldest first; returns how many."""
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    rows = 0
    for row in scores(engine, tenant_id, since=since):
        writer.writerow(row)
        rows += 1
    return rows


def scores(engine: Engine, tenant_id: str, *, since: datetime) -> Iterator[dict[str, Any]]:
    """Every score of a tenant's evaluations; `occurred` is 1, 0, or empty where nobody has said yet."""
    happened = _outcomes(engine, tenant_id)
    table = tables.evaluation.c
    columns = (table.received_at, table.hook, table.mode, table.decision, table.reason, table.procedure_group)
    statement = (
        select(table.id.label("evaluation_id"), *columns, table.models)
        .where(table.tenant_id == tenant_id, table.received_at >= since)
        .order_by(table.received_at, table.id)
        .execution_options(yield_per=500)
    )
    with engine.connect() as connection:
        for row in connection.execute(statement).mappings():
            shared = {name: row[name] for name in row if name != "models"}
            shared["received_at"] = shared["received_at"].isoformat()
            for told in msgspec.json.decode(row["models"]):
                yield {**shared, **_score(told), "occurred": happened.get((row["evaluation_id"], told.get("outcome")))}


def _score(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "outcome": told.get("outcome"),
        "model": told["model"],
        "version": told["version"],
        "state": told.get("state", "champion"),
        "status": told["status"],
        "probability": told.get("probability"),
        "raw_probability": told.get("rawProbability", told.get("probability")),
        "recalibration": told.get("recalibration"),
        "points": told.get("points"),
    }


def _outcomes(engine: Engine, tenant_id: str) -> dict[tuple[str, str], int]:
    table = tables.outcome.c
    statement = select(table.evaluation_id, table.outcome, table.occurred).where(table.tenant_id == tenant_id)
    with engine.connect() as connection:
        return {(row.evaluation_id, row.outcome): int(row.occurred) for row in connection.execute(statement)}
