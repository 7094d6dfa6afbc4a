"""What people switched without a restart: kill switches and modes, with the event that says who, when and why."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, Engine, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables, time_limit
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent

EVERY = ""
FRESH_S = 10.0
Kind = Literal["mode", "kill"]
# The event beside a switch: what was accepted with it, in the place of a reason.
ACCEPTED = "go-live"


class SwitchScope(msgspec.Struct, frozen=True):
    """What a switch is for; an empty member means every one."""

    tenant_id: str = EVERY
    hook: str = EVERY
    procedure_group: str = EVERY

    def __str__(self) -> str:
        return f"tenant={self.tenant_id or '*'} hook={self.hook or '*'} group={self.procedure_group or '*'}"


class Switch(msgspec.Struct, frozen=True):
    """One switch as it stands: a mode, or "killed"."""

    kind: str
    scope: SwitchScope
    value: str


Switches = tuple[Switch, ...]


class SwitchReader:
    """The switches as of at most FRESH_S seconds ago; the last known ones while the database is away.

    A worker that has never read them cannot know whether it was killed: `current` raises DatabaseError then.
    `accepted`: by the words of a scope with what its mode was accepted (go_live.Accepted), as of then or before: a mode
    of which nobody can tell it counts as not accepted, and a kill switch never waits for it.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: Switches | None = None
        self.accepted: Mapping[str, bytes] = {}
        self._read_at = 0.0
        self._lock = threading.Lock()

    def current(self) -> Switches:
        """Every switch that is set."""
        known = self._known
        if known is None:
            return self._first()
        if self._clock() - self._read_at >= FRESH_S and self._lock.acquire(blocking=False):
            try:
                return self._read()
            except DatabaseError:
                return known
            finally:
                self._lock.release()
        return known

    def _first(self) -> Switches:
        """One thread asks, the others wait for it: each no longer than it may, whoever it is that asks."""
        if not self._lock.acquire(timeout=time_limit.left_s(time_limit.OF_A_SERVICE.statement_s)):
            raise DatabaseError("the switches were not read in time")
        try:
            return self._known if self._known is not None else self._read()
        finally:
            self._lock.release()

    def _read(self) -> Switches:
        self._read_at = self._clock()
        found = every_switch(self._engine)
        with contextlib.suppress(DatabaseError):
            self.accepted = accepted(self._engine, found)
        self._known = found
        return found


def every_switch(engine: Engine) -> Switches:
    """Every switch as the database has it now."""
    table = tables.switch
    statement = select(table.c.kind, table.c.tenant_id, table.c.hook, table.c.procedure_group, table.c.value)
    try:
        with engine.connect() as connection:
            return tuple(
                Switch(kind, SwitchScope(*where), value) for kind, *where, value in connection.execute(statement)
            )
    except SQLAlchemyError as error:
        raise DatabaseError("the switches cannot be read") from error


def accepted(engine: Engine, switches: Switches) -> dict[str, bytes]:
    """By the words of a scope with what its mode was accepted; not where two scopes have the same words."""
    modes = [(str(one.scope), one.value) for one in switches if one.kind == "mode"]
    values = {scope: value for scope, value in modes if sum(other == scope for other, _ in modes) == 1}
    if not values:
        return {}
    table = tables.administration.c
    last = select(func.max(table.id)).where(table.action == ACCEPTED).group_by(table.tenant_id, table.scope)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(table.scope, table.value, table.reason).where(table.id.in_(last))).all()
    except SQLAlchemyError as error:
        raise DatabaseError("what was accepted cannot be read") from error
    return {scope: reason.encode() for scope, value, reason in rows if values.get(scope) == value}


def set_switch(engine: Engine, switch: Switch, event: AdministrationEvent, *, accepted_as: bytes | None = None) -> None:
    """Set a switch and note who did it, and with what it was accepted, in one transaction."""
    with engine.begin() as connection:
        connection.execute(delete(tables.switch).where(*_same(switch.kind, switch.scope)))
        connection.execute(
            insert(tables.switch).values(
                kind=switch.kind,
                tenant_id=switch.scope.tenant_id,
                hook=switch.scope.hook,
                procedure_group=switch.scope.procedure_group,
                value=switch.value,
                changed_at=event.happened_at,
            )
        )
        connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(event)))
        if accepted_as is not None:
            noted = msgspec.structs.replace(event, action=ACCEPTED, reason=accepted_as.decode())
            connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(noted)))


def clear_switch(engine: Engine, kind: Kind, scope: SwitchScope, event: AdministrationEvent) -> bool:
    """Take a switch back and note who did it; False if it was not set."""
    with engine.begin() as connection:
        found = connection.execute(delete(tables.switch).where(*_same(kind, scope))).rowcount > 0
        if found:
            connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(event)))
        return found


def history(engine: Engine, *, since: datetime | None = None) -> tuple[AdministrationEvent, ...]:
    """Who switched what, oldest first."""
    table = tables.administration
    columns = [table.c[name] for name in AdministrationEvent.__struct_fields__]
    statement = select(*columns).order_by(table.c.id)
    if since is not None:
        statement = statement.where(table.c.happened_at >= since)
    with engine.connect() as connection:
        return tuple(AdministrationEvent(**row) for row in connection.execute(statement).mappings())


def _same(kind: str, scope: SwitchScope) -> tuple[ColumnElement[bool], ...]:
    table = tables.switch
    return (
        table.c.kind == kind,
        table.c.tenant_id == scope.tenant_id,
        table.c.hook == scope.hook,
        table.c.procedure_group == scope.procedure_group,
    )
