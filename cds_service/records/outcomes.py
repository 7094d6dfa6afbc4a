"""What happened to the patients, joined to their evaluations: a whole file is kept or nothing of it (R-E04)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.outcome_file import Fault, Line, OutcomeFileError
from cds_service.records.rows import AdministrationEvent, OutcomeRow

_AT_ONCE = 500
T = TypeVar("T")


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the lines of a file: their sum is the number of lines."""

    new: int
    unchanged: int
    corrected: int


class OutcomeChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who imports, when and why; `correct`: an outcome that is there already may be replaced."""

    done_by: str
    reason: str
    at: datetime
    correct: bool = False


def keep(engine: Engine, content: bytes, lines: Sequence[Line], *, tenant_id: str, change: OutcomeChange) -> Imported:
    """Commit the lines, and the event that says who brought them, together; the same file again changes no outcome.

    Raises OutcomeFileError, and keeps nothing, for an evaluation that this tenant has not, and for an outcome that is
    recorded otherwise unless `change.correct`. What a correction replaces stays in an event of its own. Raises
    DatabaseError where nothing could be committed.
    """
    try:
        return _keep(engine, content, lines, tenant_id, change)
    except SQLAlchemyError as error:
        raise DatabaseError("the outcomes could not be kept") from error


def _keep(engine: Engine, content: bytes, lines: Sequence[Line], tenant_id: str, change: OutcomeChange) -> Imported:
    with engine.begin() as connection:
        evaluations = set(_evaluations(connection, tenant_id, [line.row.evaluation_id for line in lines]))
        recorded = dict(_recorded(connection, tenant_id, [line.row.evaluation_id for line in lines]))
        faults = [fault for line in lines if (fault := _fault(line, evaluations, recorded, change)) is not None]
        if faults:
            raise OutcomeFileError(faults)
        new = [line.row for line in lines if _key(line.row) not in recorded]
        corrected = [line.row for line in lines if recorded.get(_key(line.row), line.row.occurred) != line.row.occurred]
        _write(connection, new, corrected, change)
        imported = Imported(new=len(new), corrected=len(corrected), unchanged=len(lines) - len(new) - len(corrected))
        _note(connection, content, tenant_id, imported, change)
        for row in corrected:
            _note_correction(connection, row, change)
    return imported


def _fault(
    line: Line, evaluations: Collection[str], recorded: Mapping[tuple[str, str], bool], change: OutcomeChange
) -> Fault | None:
    if line.row.evaluation_id not in evaluations:
        return Fault(line.number, "evaluation_id", "this tenant has no such evaluation")
    before = recorded.get(_key(line.row))
    if before is not None and before != line.row.occurred and not change.correct:
        return Fault(line.number, "occurred", "recorded otherwise before; --correct replaces it")
    return None


def _key(row: OutcomeRow) -> tuple[str, str]:
    return row.evaluation_id, row.outcome


def _evaluations(connection: Connection, tenant_id: str, ids: Sequence[str]) -> Iterator[str]:
    table = tables.evaluation.c
    for some in _parts(ids):
        yield from connection.execute(
            select(table.id).where(table.tenant_id == tenant_id, table.id.in_(some))
        ).scalars()


def _recorded(connection: Connection, tenant_id: str, ids: Sequence[str]) -> Iterator[tuple[tuple[str, str], bool]]:
    table = tables.outcome.c
    for some in _parts(ids):
        statement = select(table.evaluation_id, table.outcome, table.occurred).where(
            table.tenant_id == tenant_id, table.evaluation_id.in_(some)
        )
        for evaluation_id, outcome, occurred in connection.execute(statement):
            yield (evaluation_id, outcome), occurred


def _parts(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """What one statement may name: databases take so many parameters and no more."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _write(
    connection: Connection, new: Sequence[OutcomeRow], corrected: Sequence[OutcomeRow], change: OutcomeChange
) -> None:
    values = [{**msgspec.structs.asdict(row), "recorded_at": change.at} for row in new]
    if values:
        connection.execute(insert(tables.outcome), values)
    table = tables.outcome.c
    same = (table[name] == bindparam(f"of_{name}") for name in ("tenant_id", "evaluation_id", "outcome"))
    statement = (
        update(tables.outcome)
        .where(*same)
        .values(occurred=bindparam("now_occurred"), source=bindparam("now_source"), recorded_at=change.at)
    )
    for row in corrected:
        of = {"of_tenant_id": row.tenant_id, "of_evaluation_id": row.evaluation_id, "of_outcome": row.outcome}
        connection.execute(statement, {**of, "now_occurred": row.occurred, "now_source": row.source})


def _note(connection: Connection, content: bytes, tenant_id: str, imported: Imported, change: OutcomeChange) -> None:
    digest = hashlib.sha256(content).hexdigest()
    told = f"new={imported.new} unchanged={imported.unchanged} corrected={imported.corrected} file={digest}"
    _write_event(connection, tenant_id, f"tenant={tenant_id} {told}", "imported", change)


def _note_correction(connection: Connection, row: OutcomeRow, change: OutcomeChange) -> None:
    value = "true to false" if not row.occurred else "false to true"
    _write_event(connection, row.tenant_id, f"evaluation={row.evaluation_id} outcome={row.outcome}", value, change)


def _write_event(connection: Connection, tenant_id: str, scope: str, value: str, change: OutcomeChange) -> None:
    event = AdministrationEvent(
        happened_at=change.at,
        action="outcomes",
        tenant_id=tenant_id,
        scope=scope,
        value=value,
        done_by=change.done_by,
        reason=change.reason,
    )
    connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(event)))
