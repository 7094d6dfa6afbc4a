"""What happened to the patients, joined to their evaluations: a whole file is kept or nothing of it (R-E04)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, and_, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import outcome_changes, tables
from cds_service.records.database import DatabaseError
from cds_service.records.outcome_changes import Change, Statement
from cds_service.records.outcome_file import Fault, Line, OutcomeFileError
from cds_service.records.reasons import reason
from cds_service.records.rows import AdministrationEvent, OutcomeRow

_AT_ONCE = 500
T = TypeVar("T")


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the lines of a file: their sum is the number of lines.

    `later`: nothing was wrong, time went on (followed for longer, or an outcome after the last day followed).
    """

    new: int
    unchanged: int
    corrected: int
    later: int = 0
    withdrawn: int = 0


Recorded = Mapping[tuple[str, str], Statement]


class OutcomeChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who imports, when and why; `correct`: an outcome that is there already may be replaced."""

    done_by: str
    reason: str
    at: datetime
    correct: bool = False


def keep(engine: Engine, content: bytes, lines: Sequence[Line], *, tenant_id: str, change: OutcomeChange) -> Imported:
    """Commit the lines, and the event that says who brought them, together; the same file again changes no outcome.

    Raises OutcomeFileError, and keeps nothing, for an evaluation that this tenant has not, and for an outcome that is
    recorded otherwise, or is withdrawn, unless `change.correct`. What a correction replaces stays in an event of its
    own. Raises DatabaseError where nothing could be committed.
    """
    try:
        return _keep(engine, content, lines, tenant_id, change)
    except SQLAlchemyError as error:
        raise DatabaseError(f"the outcomes could not be kept: {reason(error)}") from error


def _keep(engine: Engine, content: bytes, lines: Sequence[Line], tenant_id: str, of: OutcomeChange) -> Imported:
    with engine.begin() as connection:
        ids = [line.row.evaluation_id for line in lines]
        evaluations = set(_evaluations(connection, tenant_id, ids))
        recorded = dict(_recorded(connection, tenant_id, ids))
        faults = [fault for line in lines if (fault := _fault(line, evaluations, recorded, of)) is not None]
        if faults:
            raise OutcomeFileError(faults)
        found = [(_change(line, recorded), line.row) for line in lines]
        imported = Imported(
            new=_count(found, "new"),
            unchanged=_count(found, "unchanged"),
            corrected=_count(found, "correction"),
            later=_count(found, "later"),
            withdrawn=_count(found, "withdrawn"),
        )
        _write(connection, found, recorded, of)
        _note(connection, content, tenant_id, imported, of)
        for what, row in found:
            if what in ("correction", "withdrawn"):
                _note_correction(connection, what, row, recorded[_key(row)], of)
    return imported


def on_record(engine: Engine, tenant_id: str) -> tuple[OutcomeRow, ...]:
    """Every outcome of a tenant, with the source that told it."""
    columns = [tables.outcome.c[name] for name in OutcomeRow.__struct_fields__]
    statement = select(*columns).where(tables.outcome.c.tenant_id == tenant_id)
    with engine.connect() as connection:
        return tuple(OutcomeRow(**row) for row in connection.execute(statement).mappings())


def _count(found: Iterable[tuple[str, OutcomeRow]], what: str) -> int:
    return sum(one == what for one, _ in found)


def _change(line: Line, recorded: Recorded) -> Change | Literal["withdrawn"]:
    before = recorded.get(_key(line.row))
    if line.withdrawn:
        return "unchanged" if before is None else "withdrawn"
    return outcome_changes.change(before, _statement(line.row))


def _statement(row: OutcomeRow) -> Statement:
    return Statement(row.occurred, row.occurred_on, row.observed_through, row.operated_on)


def _fault(line: Line, evaluations: Collection[str], recorded: Recorded, of: OutcomeChange) -> Fault | None:
    if line.row.evaluation_id not in evaluations:
        return Fault(line.number, "evaluation_id", "this tenant has no such evaluation")
    what = _change(line, recorded)
    if what == "correction" and not of.correct:
        return Fault(line.number, "occurred", "recorded otherwise before; --correct replaces it")
    if what == "withdrawn" and not of.correct:
        return Fault(line.number, "occurred", "recorded before; --correct withdraws it")
    return None


def _key(row: OutcomeRow) -> tuple[str, str]:
    return row.evaluation_id, row.outcome


def _evaluations(connection: Connection, tenant_id: str, ids: Sequence[str]) -> Iterator[str]:
    table = tables.evaluation.c
    for some in _parts(ids):
        yield from connection.execute(
            select(table.id).where(table.tenant_id == tenant_id, table.id.in_(some))
        ).scalars()


def _recorded(
    connection: Connection, tenant_id: str, ids: Sequence[str]
) -> Iterator[tuple[tuple[str, str], Statement]]:
    table = tables.outcome.c
    days = (table.occurred_on, table.observed_through, table.operated_on)
    for some in _parts(ids):
        statement = select(table.evaluation_id, table.outcome, table.occurred, *days).where(
            table.tenant_id == tenant_id, table.evaluation_id.in_(some)
        )
        for evaluation_id, outcome, *said in connection.execute(statement):
            yield (evaluation_id, outcome), Statement(*said)


def _parts(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    """What one statement may name: databases take so many parameters and no more."""
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _write(
    connection: Connection, found: Sequence[tuple[str, OutcomeRow]], recorded: Recorded, of: OutcomeChange
) -> None:
    new = [{**msgspec.structs.asdict(row), "recorded_at": of.at} for what, row in found if what == "new"]
    if new:
        connection.execute(insert(tables.outcome), new)
    for what, row in found:
        if what == "withdrawn":
            _changed(connection.execute(delete(tables.outcome).where(_this(row, recorded[_key(row)]))))
        elif what in ("later", "correction"):
            before, now = recorded[_key(row)], _statement(row)
            now = outcome_changes.together(before, now) if what == "later" else now
            values = {**msgspec.structs.asdict(now), "source": row.source, "recorded_at": of.at}
            _changed(connection.execute(update(tables.outcome).where(_this(row, before)).values(**values)))


def _changed(result: CursorResult[Any]) -> None:
    """Raises DatabaseError where the row is not any more as it was read."""
    if result.rowcount != 1:
        raise DatabaseError("another import changed these outcomes at the same time: nothing was kept, run it again")


def _this(row: OutcomeRow, before: Statement) -> ColumnElement[bool]:
    """The outcome of the row, as it was when it was read."""
    table = tables.outcome.c
    own = (table[name] == getattr(row, name) for name in ("tenant_id", "evaluation_id", "outcome"))
    said = (table[name].is_not_distinct_from(value) for name, value in msgspec.structs.asdict(before).items())
    return and_(*own, *said)


def _note(connection: Connection, content: bytes, tenant_id: str, imported: Imported, of: OutcomeChange) -> None:
    digest = hashlib.sha256(content).hexdigest()
    counts = " ".join(f"{name}={count}" for name, count in msgspec.structs.asdict(imported).items())
    _write_event(connection, tenant_id, f"tenant={tenant_id} {counts} file={digest}", "imported", of)


def _note_correction(connection: Connection, what: str, row: OutcomeRow, before: Statement, of: OutcomeChange) -> None:
    day = f" before={before.occurred_on}" if before.occurred_on else ""
    scope = f"evaluation={row.evaluation_id} outcome={row.outcome}{day}"
    now = "withdrawn" if what == "withdrawn" else str(row.occurred).lower()
    _write_event(connection, row.tenant_id, scope, f"{str(before.occurred).lower()} to {now}", of)


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
