"""What each version of each model said, a row each, with what happened: champions beside challengers (R-F09, R-F13).

For R, Python or Seismometer: score, target, cohort columns and time. It holds no patient's, user's or order's id;
`evaluation_id` leads back to the record for whoever may read that. An operation that was asked about twice has two
rows of each version with the same `operation`; the one with `of_operation` 1 stands for it: count those alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, select

from cds_service.follow_up.planned_operations import planned_operations
from cds_service.records import tables
from cds_service.records.asked_calls import asked_calls
from cds_service.records.outcome_changes import Statement

_Of = tuple[str, str]  # an evaluation and an outcome
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
    "operation",
    "of_operation",
    "operated_on",
    "occurred_on",
    "observed_through",
    "sex",
    "age_band",
)
# As funnel plots of surgery are drawn: under 50, 50 to 64, 65 to 79, and 80 or older.
AGE_BANDS = ((50, "18-49"), (65, "50-64"), (80, "65-79"), (1000, "80+"))


def to_csv(engine: Engine, tenant_id: str, out: TextIO, *, since: datetime, zone: ZoneInfo | None = None) -> int:
    """One row per evaluation and version that was scored, oldest first; returns how many."""
    writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    rows = 0
    for row in scores(engine, tenant_id, since=since, zone=zone):
        writer.writerow(row)
        rows += 1
    return rows


def scores(
    engine: Engine, tenant_id: str, *, since: datetime, zone: ZoneInfo | None = None
) -> Iterator[dict[str, Any]]:
    """Every score of a tenant's evaluations; `occurred` is 1, 0, or empty where nobody has said yet.

    `zone`: in which the days of operations are (follow_up/planned_operations.py).
    """
    happened = statements(engine, tenant_id)
    operations = _operations(engine, tenant_id, zone)
    table = tables.evaluation.c
    columns = (table.received_at, table.hook, table.mode, table.decision, table.reason, table.procedure_group)
    statement = (
        select(table.id.label("evaluation_id"), *columns, table.models, table.result)
        .where(table.tenant_id == tenant_id, table.received_at >= since)
        .order_by(table.received_at, table.id)
        .execution_options(yield_per=500)
    )
    with engine.connect() as connection:
        for row in connection.execute(statement).mappings():
            shared = {name: row[name] for name in row if name not in ("models", "result")}
            shared["received_at"] = shared["received_at"].isoformat()
            result = {} if row["result"] is None else msgspec.json.decode(row["result"])
            shared |= operations.get(row["evaluation_id"], {}) | _cohorts(result)
            for told in msgspec.json.decode(row["models"]):
                said = happened.get((row["evaluation_id"], str(told.get("outcome"))))
                yield {**shared, **_score(told), **(_days(said) if said else {})}


def _operations(engine: Engine, tenant_id: str, zone: ZoneInfo | None) -> dict[str, dict[str, Any]]:
    """Per evaluation: of which operation it is, and whether it stands for it."""
    return {
        call.evaluation_id: {
            "operation": of.calls[0].evaluation_id,
            "of_operation": int(call is of.last_before),
            "operated_on": of.operated_on,
        }
        for of in planned_operations(asked_calls(engine, tenant_id), zone=zone)
        for call in of.calls
    }


def _cohorts(result: dict[str, Any]) -> dict[str, Any]:
    """Sex and age band as the models were given them; empty where they were not known."""
    inputs = {one["name"]: one for one in result.get("inputs", ())}
    sex, age = (inputs.get(name, {}).get("value") for name in ("sex", "age"))
    band = next((name for below, name in AGE_BANDS if age < below), None) if isinstance(age, int | float) else None
    return {"sex": sex, "age_band": band}


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


def _days(said: Statement) -> dict[str, Any]:
    days = {"occurred_on": said.occurred_on, "observed_through": said.observed_through}
    return {"occurred": int(said.occurred), **days}


def statements(engine: Engine, tenant_id: str) -> dict[_Of, Statement]:
    """What was said of each outcome, by evaluation and outcome."""
    table = tables.outcome.c
    said = (table.occurred, table.occurred_on, table.observed_through, table.operated_on)
    statement = select(table.evaluation_id, table.outcome, *said).where(table.tenant_id == tenant_id)
    with engine.connect() as connection:
        return {(of, outcome): Statement(*known) for of, outcome, *known in connection.execute(statement)}
