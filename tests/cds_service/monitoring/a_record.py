"""A record with operations of which the truth is known: two calls each, a card for some, an outcome for all."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine, insert

from cds_service.records import database, migrate, tables
from tests.cds_service.records.rows_of import an_evaluation

TENANT = "general-hospital"
MONDAY = date(2025, 9, 1)
WEEKS, A_DAY = 30, 4
BROKEN_DAY = (26, 2)  # week (from 0) and weekday without laboratory results
UNIT_WEEK, NEW_CODE_WEEK = 25, 24
LABS = ("creatinine", "haemoglobin", "sodium", "platelets")


def written(folder: Path, *, faults: bool = True, seed: int = 7) -> Engine:
    """The record, of 20 operations a week; with its faults: a day without results, a unit, a new code."""
    url = f"sqlite:///{folder}/record.sqlite3"
    migrate.upgrade(url)
    engine = database.connect(url, durable=True, connections=2)
    random = np.random.default_rng(seed)
    with engine.begin() as connection:
        for week in range(WEEKS):
            for weekday in range(5):
                for number in range(A_DAY):
                    for row in _rows(week, weekday, number, random, faults=faults):
                        connection.execute(insert(tables.evaluation), row)
    return engine


def _rows(week: int, weekday: int, number: int, random: np.random.Generator, *, faults: bool) -> list[dict[str, Any]]:
    day = MONDAY + timedelta(days=7 * week + weekday)
    broken = faults and (week, weekday) == BROKEN_DAY
    factor = 0.62 if faults and week >= UNIT_WEEK else 1.0
    values = {"age": 60 + 10 * random.normal(), **{name: 13.0 + random.normal() for name in LABS}}
    values["haemoglobin"] *= factor
    new_code = faults and week >= NEW_CODE_WEEK and number == 0
    inputs = [_input(name, None if broken and name in LABS else value) for name, value in values.items()]
    patient, found = f"p-{week}-{weekday}-{number}", []
    for hour in (9, 10):
        at = datetime(day.year, day.month, day.day, hour, number, tzinfo=UTC)
        found.append(_row(at, patient, inputs, float(np.clip(random.beta(2, 13), 0.01, 0.9)), new_code=new_code))
    return found


def _input(name: str, value: float | None) -> dict[str, Any]:
    return {"name": name, "status": "missing"} if value is None else {"name": name, "status": "used", "value": value}


def _row(at: datetime, patient: str, inputs: list[dict[str, Any]], risk: float, *, new_code: bool) -> dict[str, Any]:
    import msgspec

    score = {"model": "m", "version": "1", "sha256": "x", "outcome": "any-complication", "status": "computed"}
    told = an_evaluation(
        id=str(uuid.UUID(int=int(at.timestamp()) * 1000 + hash(patient) % 997)),
        tenant_id=TENANT,
        received_at=at,
        patient_id=patient,
        decision="silence",
        reason="unmapped-procedure" if new_code else "below-floor",
        procedure_group=None if new_code else "spine-fusion",
        models=() if new_code else ({**score, "probability": risk},),
        inputs=() if new_code else tuple({"name": one["name"], "status": one["status"]} for one in inputs),
        result=None if new_code else {"inputs": inputs},
        unmapped=(("local", "NEW"),) if new_code else (),
        cards=(),
        total_ms=20.0,
    )
    row = {name: value for name, value in msgspec.structs.asdict(told).items() if name != "cards"}
    for name in ("models", "inputs", "milliseconds", "unmapped"):
        row[name] = msgspec.json.encode(row[name]).decode()
    row["result"] = None if told.result is None else msgspec.json.encode(told.result).decode()
    return row
