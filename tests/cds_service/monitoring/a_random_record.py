"""Records of calls at random: changed orders, late and contradicting outcomes, days of operations months apart."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from cds_service.records import database, migrate, tables
from cds_service.records.rows import CardRow, EvaluationRow, SuggestionRow
from cds_service.records.writer import write
from tests.cds_service.records.rows_of import an_evaluation

TENANT, OTHER = "general-hospital", "another"
FIRST, WEEKS = date(2026, 1, 7), 30
UNTIL = date(2026, 8, 12)
OUTCOMES = ("30-day-death", "any-complication", "not-in-horizons")
HORIZONS = {"30-day-death": 30, "any-complication": None}
_INPUTS = ("age", "haemoglobin", "sex", "diabetes", "creatinine", "chronic_opioids", "of-a-later-version")
_STATUSES = ("used", "used", "used", "used-below-limit", "missing", "missing", "too-old")
_RULES = ("blood-tests", "smoking-cessation")


def empty(folder: Path) -> Engine:
    """A record without rows."""
    url = f"sqlite:///{folder}/record.sqlite3"
    migrate.upgrade(url)
    return database.connect(url, durable=False, connections=2)


def refill(engine: Engine, seed: int, *, calls: int = 500) -> None:
    """Other rows for those that it held."""
    draw = random.Random(seed)
    with engine.begin() as connection:
        for table in (tables.accepted_suggestion, tables.feedback, tables.suggestion, tables.card, tables.outcome):
            connection.execute(table.delete())
        connection.execute(tables.evaluation.delete())
    rows = [_call(draw, number) for number in range(calls)]
    write(engine, rows)
    with engine.begin() as connection:
        _answer(connection, draw, [(row, card) for row in rows for card in row.cards])
        for row in rows:
            _outcomes(connection, draw, row, far_apart=seed % 2 == 0)


def _call(draw: random.Random, number: int) -> EvaluationRow:
    # Few patients, and calls that share an instant; some orders are changed within days.
    day = FIRST + timedelta(days=draw.randrange(7 * WEEKS))
    at = datetime.combine(day, time(draw.choice((0, 9, 23))), UTC)
    decision = draw.choice(("card", "card", "again", "silence", "silence", "error", "profile"))
    inputs = [_input(draw, name) for name in _INPUTS if draw.random() < 0.8]
    models = tuple(_model(draw, outcome) for outcome in OUTCOMES for _ in range(draw.randrange(3)))
    cards = (_card(draw),) if decision == "card" and draw.random() < 0.8 else ()
    return an_evaluation(
        id=f"{draw.getrandbits(64):016x}-{number}",
        tenant_id=OTHER if draw.random() < 0.05 else TENANT,
        received_at=at,
        patient_id=draw.choice((None, *"abcdefghijklmnopqrstuvwxyz")),
        order_reference=draw.choice((None, "o1", "o2")),
        status=draw.choice((200, 200, 200, 200, 500)),
        decision=decision,
        reason=draw.choice(("below-floor", "unmapped-procedure", "data-late", None)),
        procedure_group=draw.choice((None, "spine-fusion", "spine-fusion", "hip-replacement")),
        models=models,
        inputs=tuple({"name": one["name"], "status": one["status"]} for one in inputs),
        result=draw.choice((None, {}, *3 * (_result(draw, inputs, models),))),
        unmapped=(("local", "N"),) if draw.random() < 0.1 else (),
        cards=cards,
        total_ms=draw.choice((0.0, 3.5, 80.0)),
    )


def _input(draw: random.Random, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {"age": draw.randint(15, 95), "sex": draw.choice(("female", "male", None))}
    values |= {"haemoglobin": round(draw.gauss(13, 2), 1), "creatinine": round(draw.uniform(0.4, 3), 2)}
    return {"name": name, "status": draw.choice(_STATUSES), "value": values.get(name, draw.random() < 0.5)}


def _model(draw: random.Random, outcome: str) -> dict[str, Any]:
    probability = draw.choice((None, 0.0, 1.0, *7 * (round(draw.uniform(0.01, 0.4), 2),)))
    told = {"model": draw.choice("mn"), "version": "1", "sha256": "x", "outcome": outcome, "status": "computed"}
    told |= {"state": draw.choice(("champion", "champion", "challenger"))} if draw.random() < 0.8 else {}
    told |= {"rawProbability": round(draw.uniform(0.01, 0.4), 2)} if draw.random() < 0.2 else {}
    return told | ({} if probability is None else {"probability": probability})


def _result(draw: random.Random, inputs: list[dict[str, Any]], models: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    predictions = [
        {"outcome": one["outcome"], "model": one["model"], "version": "1"}
        | ({"horizonDays": draw.choice((7, 30))} if draw.random() < 0.5 else {})
        for one in models
        if draw.random() < 0.5
    ]
    missed = [{"list": "conditions", "entries": draw.randrange(4), "of": 9}] if draw.random() < 0.3 else []
    return {"assessmentId": "a", "inputs": inputs, "predictions": predictions, "notUnderstood": missed}


def _card(draw: random.Random) -> CardRow:
    rules = draw.sample(_RULES, draw.randrange(3))
    options = tuple(SuggestionRow(f"{draw.getrandbits(64):016x}", rule) for rule in rules)
    uuid, shown = f"{draw.getrandbits(64):016x}", draw.random() < 0.7
    return CardRow(uuid=uuid, indicator="info", shown=shown, suggestions=options)


def _answer(connection: Any, draw: random.Random, cards: list[tuple[EvaluationRow, CardRow]]) -> None:
    number = 0
    for row, card in cards:
        for _ in range(draw.randrange(3)):
            number += 1
            said = {"id": number, "tenant_id": row.tenant_id, "digest": str(number), "received_at": row.received_at}
            said |= {"service_id": "s", "card_uuid": card.uuid, "reason_code": draw.choice((None, "too-low"))}
            said |= {"outcome": draw.choice(("accepted", "overridden")), "outcome_at": row.received_at}
            connection.execute(insert(tables.feedback), said)
            for option in card.suggestions[: draw.randrange(3)]:
                taken = {"feedback_id": number, "suggestion_uuid": option.uuid}
                connection.execute(insert(tables.accepted_suggestion), taken)


def _outcomes(connection: Any, draw: random.Random, row: EvaluationRow, *, far_apart: bool) -> None:
    """Some are undated, some contradict what was said of another call; `far_apart`: two days serve calls of months."""
    day = row.received_at.date()
    days = (date(2026, 3, 2), date(2026, 6, 1)) if far_apart else ()
    operated = draw.choice((None, day, day + timedelta(days=12), *days))
    for outcome in OUTCOMES:
        if draw.random() < 0.4:
            done = operated or day
            occurred = draw.random() < 0.4
            said = {"tenant_id": row.tenant_id, "evaluation_id": row.id, "outcome": outcome, "occurred": occurred}
            said |= {"source": "registry", "recorded_at": row.received_at, "operated_on": operated}
            on = done + timedelta(days=draw.choice((1, 20, 60)))
            said |= {"occurred_on": on if occurred and draw.random() < 0.8 else None}
            said |= {
                "observed_through": done + timedelta(days=draw.choice((3, 40, 90))) if draw.random() < 0.8 else None
            }
            connection.execute(insert(tables.outcome), said)
