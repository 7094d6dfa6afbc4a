"""Writes evaluations behind the answer: a bounded queue, one thread, batches; what cannot be kept is counted."""

from __future__ import annotations

import collections
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, String, insert
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from cds_service.records import tables
from cds_service.records.ledger import Ledger
from cds_service.records.rows import EvaluationRow
from cds_service.records.write_trouble import WriteTrouble

QUEUE_ROWS = 2_000
# Kept free for the calls under way when the queue is nearly full: more than a worker has threads (settings.threads).
SPARE_ROWS = 256
BATCH_ROWS = 200
RETRY_AFTER_S = 0.5
# One transaction for what comes within this time: a row alone costs the worker as much as twenty together, and a
# thread that is woken for each row takes the interpreter from the answer that is just being sent.
GATHER_S = 0.1
# Made once: SQLAlchemy remembers what it found out about a statement with the statement.
_INSERT_EVALUATION, _INSERT_CARD = insert(tables.evaluation), insert(tables.card)
_INSERT_SUGGESTION = insert(tables.suggestion)
Counted = Callable[[str, int], None]


class Writer:
    """One thread per worker between the answers and the database."""

    def __init__(self, engine: Engine, ledger: Ledger, *, counted: Counted, trouble: WriteTrouble) -> None:
        self._engine = engine
        self._ledger = ledger
        self._counted = counted
        self._trouble = trouble
        self._rows: collections.deque[EvaluationRow] = collections.deque()
        self._lost: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="records", daemon=True)
        self._thread.start()

    def put(self, row: EvaluationRow) -> None:
        """Take a row without waiting; with the queue full it is lost, and counted."""
        self._ledger.take()
        if len(self._rows) < QUEUE_ROWS:
            self._rows.append(row)
        else:
            self._lose("queue-full")

    def unwritten(self) -> str | None:
        """Why no more rows should be made: the queue is full, or nothing could be written for too long; else None."""
        if len(self._rows) >= QUEUE_ROWS - SPARE_ROWS:
            return "the queue of rows to be written is full"
        return self._trouble.too_long()

    def flush(self, timeout_s: float) -> bool:
        """Wait until every row taken so far is written or its loss noted; False if that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ledger.open == 0, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Write what is queued, for as long as that may take, and end.

        What is left then stays open in the ledger, so that the next start counts it as lost.
        """
        self.flush(timeout_s)
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.wait(GATHER_S)
            while self._rows or not self._lost.empty():
                batch = [self._rows.popleft() for _ in range(min(len(self._rows), BATCH_ROWS))]
                if not self._persist(batch):
                    return

    def _persist(self, batch: Sequence[EvaluationRow]) -> bool:
        """Write a batch, as often as it takes, and note what was lost meanwhile; False if the end came first."""
        while not self._try(batch):
            self._counted("retries", 1)
            if self._closing.wait(RETRY_AFTER_S):
                return False
        return True

    def _try(self, batch: Sequence[EvaluationRow]) -> bool:
        try:
            if batch:
                write(self._engine, batch)
        except (IntegrityError, DataError):
            return self._write_singly(batch)
        except SQLAlchemyError as error:
            self._trouble.found(error)
            return False
        self._trouble.over()
        if batch:
            self._settle(len(batch), "written")
        return self._note_losses()

    def _write_singly(self, batch: Sequence[EvaluationRow]) -> bool:
        """A row that the database refuses is lost alone."""
        for row in batch:
            try:
                write(self._engine, (row,))
            except SQLAlchemyError:
                self._lose("refused")
            else:
                self._settle(1, "written")
        return self._note_losses()

    def _lose(self, cause: str) -> None:
        self._counted("lost", 1)
        self._lost.put(cause)

    def _note_losses(self) -> bool:
        causes = collections.Counter(self._lost.get() for _ in range(self._lost.qsize()))
        for cause, rows in causes.items():
            with contextlib.suppress(SQLAlchemyError):  # counted all the same, in the metric of whoever watches
                count_loss(self._engine, rows, cause)
            self._settle(rows, "settled")
        return True

    def _settle(self, rows: int, what: str) -> None:
        self._counted(what, rows)
        with self._changed:
            self._ledger.settle(rows)
            self._changed.notify_all()


def write(engine: Engine, batch: Sequence[EvaluationRow]) -> None:
    """All rows in one transaction."""
    cards = [(row, card) for row in batch for card in row.cards]
    suggestions = [
        {"uuid": suggestion.uuid, "card_uuid": card.uuid, "rule": suggestion.rule, "received_at": row.received_at}
        for row, card in cards
        for suggestion in card.suggestions
    ]
    with engine.begin() as connection:
        connection.execute(_INSERT_EVALUATION, [_columns(row) for row in batch])
        if cards:
            connection.execute(
                _INSERT_CARD,
                [
                    {
                        "uuid": card.uuid,
                        "evaluation_id": row.id,
                        "tenant_id": row.tenant_id,
                        "indicator": card.indicator,
                        "topic": card.topic,
                        "shown": card.shown,
                        "received_at": row.received_at,
                    }
                    for row, card in cards
                ],
            )
        if suggestions:
            connection.execute(_INSERT_SUGGESTION, suggestions)


def count_loss(engine: Engine, evaluations: int, cause: str) -> None:
    """Note how many evaluations have no row, and why."""
    with engine.begin() as connection:
        connection.execute(
            insert(tables.loss).values(noticed_at=datetime.now(UTC), evaluations=evaluations, cause=cause)
        )


_LENGTHS = {
    column.name: column.type.length
    for column in tables.evaluation.columns
    if isinstance(column.type, String) and column.type.length
}


def _columns(row: EvaluationRow) -> dict[str, Any]:
    """The row as columns; text from the wire is cut to what its column holds, rather than losing the row."""
    columns = {name: getattr(row, name) for name in row.__struct_fields__ if name != "cards"}
    for name, length in _LENGTHS.items():
        if isinstance(value := columns.get(name), str):
            columns[name] = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:length]
    for name in ("models", "inputs", "milliseconds"):
        columns[name] = msgspec.json.encode(columns[name]).decode()
    columns["unmapped"] = msgspec.json.encode(row.unmapped).decode() if row.unmapped else None
    columns["result"] = None if row.result is None else msgspec.json.encode(row.result).decode()
    return columns
