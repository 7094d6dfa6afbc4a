"""A hospital with half a year of operations and their outcomes in its record, and the command that recalibrates."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import insert

from cds_service.commands.cli import main
from cds_service.records import tables, writer
from cds_service.records.rows import EvaluationRow
from cds_service.web.app import RECORDS
from models_onnx import registry
from models_onnx.model import sigmoid
from tests.cds_service.records.present import a_worker_uses
from tests.cds_service.records.rows_of import an_evaluation

MODEL, OUTCOME = "elective-complication", "any-complication"
CARD = next(card for card in registry.cards() if card.name == MODEL)
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
FIT = ("recalibrate", "fit", "demo", MODEL, "--by", "A. Jones", "--reason", "half a year of outcomes")
Run = Callable[..., Result]


def run_on(folder: Path, app: Flask) -> Run:
    """The commands on the record of this application."""
    environment = {"DATABASE_URL": f"sqlite:///{folder}/record.sqlite3"}
    assert app.extensions[RECORDS].unready() is None
    a_worker_uses(environment["DATABASE_URL"], "demo", "elsewhere", at=datetime.now(UTC) + timedelta(hours=1))
    return lambda *words: CliRunner().invoke(main, words, env=environment)


def an_operation(probability: float, *, day: int, **members: Any) -> EvaluationRow:
    said = {"model": MODEL, "version": CARD.version, "sha256": CARD.sha256, "outcome": OUTCOME, "status": "computed"}
    return an_evaluation(
        **{
            "tenant_id": "demo",
            "patient_id": f"p-{uuid.uuid4()}",
            "received_at": FIRST + timedelta(hours=day),
            "models": ({**said, "probability": probability},),
            "cards": (),
            **members,
        }
    )


def keep(app: Flask, rows: list[tuple[EvaluationRow, bool]], **days: date) -> None:
    """Evaluations, and whether the complication happened."""
    engine = app.extensions[RECORDS].durable
    writer.write(engine, [row for row, _ in rows])
    happened = [
        {"tenant_id": "demo", "evaluation_id": row.id, "outcome": OUTCOME, "occurred": occurred}
        | {"source": "registry", "recorded_at": FIRST, **days}
        for row, occurred in rows
    ]
    with engine.begin() as connection:
        connection.execute(insert(tables.outcome), happened)


def half_a_year(app: Flask, n: int = 2_000) -> None:
    """A hospital with fewer complications than the model says, and a flatter slope."""
    random = np.random.default_rng(20261124)
    logits = random.normal(-1.6, 0.9, n)
    happened = random.random(n) < 1 / (1 + np.exp(-(-0.8 + 0.7 * logits)))
    told = zip(logits, happened, strict=True)
    keep(app, [(an_operation(sigmoid(float(x)), day=day), bool(y)) for day, (x, y) in enumerate(told)])
