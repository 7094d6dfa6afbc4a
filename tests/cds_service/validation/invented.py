"""A hospital of invented operations whose truth is known, written into a record through its own writer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, insert

from cds_service.records import tables, writer
from cds_service.records.rows import EvaluationRow
from cds_service.tenants.speech import JudgedRisk, Speech
from models_onnx import registry
from tests.cds_service.records.rows_of import a_card, an_evaluation

OUTCOME = "any-complication"
CARDS = {card.name: card for card in registry.cards()}
FIRST = datetime(2026, 1, 5, 12, tzinfo=UTC)
WEEKS = 20
SINCE, UNTIL = "2026-01-05", "2026-05-25"
GROUPS = ("spine-fusion", "hip-replacement", "colectomy")


def prediction(model: str, probability: float | None, *, usual: float | None = 0.1) -> dict[str, Any]:
    card = CARDS[model]
    told = {"outcome": card.outcome, "model": model, "version": card.version, "modelSha256": card.sha256}
    told |= {"status": "computed" if probability is not None else "not-computable", "shown": True}
    return told | {"probability": probability, "peerProbability": usual, "horizonDays": card.horizon_days}


def an_operation(
    at: datetime, *, sex: str, age: float, asa: float | None, risk: float, group: str, opened: bool, **members: Any
) -> EvaluationRow:
    inputs = [
        {"name": "age", "status": "used", "value": age},
        {"name": "sex", "status": "used", "value": sex},
        {"name": "procedure_group", "status": "used", "value": group},
        {"name": "urgency", "status": "used", "value": "elective"},
        {"name": "asa_class", "status": "used", "value": asa}
        if asa is not None
        else {"name": "asa_class", "status": "missing", "reason": "never-recorded"},
    ]
    speech = Speech((JudgedRisk(OUTCOME, risk, risk, 0.1, "common"),), opened)
    result = {
        "assessmentId": "a",
        "procedure": {"group": group},
        "predictions": [prediction("elective-complication", risk)],
        "inputs": inputs,
        "speech": msgspec.to_builtins(speech),
    }
    warns = speech.warns(0.03, 0.18)
    silent = not speech.speaks({OUTCOME: 0.16}, rare=0.03, common=0.18)
    return an_evaluation(
        **{
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{at.isoformat()}{members.get('patient_id')}")),
            "received_at": at,
            "decision": "silence",
            "reason": "below-floor" if silent else "mode-silent",
            "mode": "silent",
            "procedure_group": group,
            "band": "typical",
            "models": (_scored(risk),),
            "result": result,
            "cards": () if silent else (a_card(indicator="warning" if warns else "info", shown=False),),
            **members,
        }
    )


def _scored(risk: float) -> dict[str, Any]:
    card = CARDS["elective-complication"]
    named = {"model": card.name, "version": card.version, "sha256": card.sha256, "outcome": card.outcome}
    return named | {"status": "computed", "probability": risk}


def a_hospital(
    engine: Engine, *, n: int = 1_200, change: Callable[[EvaluationRow], EvaluationRow] | None = None
) -> Sequence[EvaluationRow]:
    """So many operations over WEEKS weeks in a record, each with its dated outcome."""
    rows, happened = operations(n)
    rows = [change(row) if change else row for row in rows]
    keep(engine, rows, happened)
    return rows


def operations(n: int, *, first: datetime = FIRST, seed: int = 1) -> tuple[list[EvaluationRow], list[bool]]:
    """So many operations over WEEKS weeks from `first` on, and whether the outcome happened: as often as was told."""
    random = np.random.default_rng(seed)
    rows, happened = [], []
    for k in range(n):
        age, asa = float(random.integers(30, 90)), float(random.integers(1, 5))
        z = -3.0 + 0.02 * (age - 60) + 0.5 * asa + random.normal(0, 0.5)
        at = first + timedelta(minutes=int(k * WEEKS * 7 * 24 * 60 / n))
        row = an_operation(
            at,
            sex="male" if random.random() < 0.5 else "female",
            age=age,
            asa=asa if random.random() < 0.8 else None,
            risk=float(1 / (1 + np.exp(-z))),
            group=GROUPS[int(random.integers(0, 3))],
            opened=bool(random.random() < 0.05),
            patient_id=f"p-{k}",
        )
        rows.append(row)
        happened.append(bool(random.random() < 1 / (1 + np.exp(-z))))
    return rows, happened


def keep(engine: Engine, rows: Sequence[EvaluationRow], happened: Sequence[bool], outcome: str = OUTCOME) -> None:
    """The rows, and for each the outcome with its days."""
    for start in range(0, len(rows), 200):
        writer.write(engine, list(rows[start : start + 200]))
    said = [
        {"tenant_id": row.tenant_id, "evaluation_id": row.id, "outcome": outcome, "occurred": occurred}
        | {"source": "register", "recorded_at": FIRST, "operated_on": _day(row)}
        | {"occurred_on": _day(row) + timedelta(days=3) if occurred else None}
        | {"observed_through": _day(row) + timedelta(days=60)}
        for row, occurred in zip(rows, happened, strict=False)
    ]
    if said:
        with engine.begin() as connection:
            connection.execute(insert(tables.outcome), said)


def _day(row: EvaluationRow) -> date:
    return row.received_at.date()
