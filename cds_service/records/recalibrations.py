"""The recalibrations of each tenant: proposed by a fit, in force once a second person approved, retired for good."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent
from models_onnx.recalibration import BySha256, Recalibration, RecalibrationError

State = Literal["proposed", "in-force", "retired"]
_TABLE = tables.recalibration.c


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A recalibration with its tenant and who stands for it; instants in UTC."""

    tenant_id: str
    state: State
    fitted_at: datetime.datetime
    fitted_by: str
    recalibration: Recalibration
    approved_by: str | None = None
    approved_at: datetime.datetime | None = None
    retired_at: datetime.datetime | None = None


def every_recalibration(engine: Engine, *, tenant_id: str | None = None) -> tuple[Kept, ...]:
    """Every recalibration, of one tenant or of all, in the order in which they were fitted."""
    statement = select(tables.recalibration).order_by(_TABLE.tenant_id, _TABLE.model, _TABLE.number)
    if tenant_id is not None:
        statement = statement.where(_TABLE.tenant_id == tenant_id)
    try:
        with engine.connect() as connection:
            return tuple(_kept(row) for row in connection.execute(statement).mappings())
    except SQLAlchemyError as error:
        raise DatabaseError("the recalibrations cannot be read") from error


def in_force(engine: Engine) -> dict[str, BySha256]:
    """What holds now: by tenant, and by the sha256 of the graph that it corrects."""
    found: dict[str, dict[str, Recalibration]] = {}
    for kept in every_recalibration(engine):
        if kept.state == "in-force":
            found.setdefault(kept.tenant_id, {})[kept.recalibration.sha256] = kept.recalibration
    return dict(found)


def propose(engine: Engine, tenant_id: str, fitted: Recalibration, event: AdministrationEvent) -> Recalibration:
    """Keep a fit under the next number of this tenant and model; it changes no answer until it is approved."""
    with engine.begin() as connection:
        numbers = select(func.coalesce(func.max(_TABLE.number), 0)).where(
            _TABLE.tenant_id == tenant_id, _TABLE.model == fitted.model
        )
        numbered = msgspec.structs.replace(fitted, number=int(connection.execute(numbers).scalar_one()) + 1)
        connection.execute(insert(tables.recalibration).values(**_columns(tenant_id, numbered, event)))
        _note(connection, event, numbered, "proposed")
    return numbered


def approve(engine: Engine, tenant_id: str, model: str, number: int, event: AdministrationEvent) -> Kept:
    """Put a proposal in force in the place of the former one of the same graph.

    Raises RecalibrationError if it is no proposal, or if the person who fitted it would approve it (R-E06).
    """
    with engine.begin() as connection:
        _hold(connection, tenant_id, model)
        kept = _find(connection, tenant_id, model, number)
        if kept.state != "proposed":
            raise RecalibrationError(f"{model} number {number} is {kept.state}: only a proposal can be approved")
        if kept.fitted_by.strip().casefold() == event.done_by.strip().casefold():
            raise RecalibrationError(f"{kept.fitted_by} fitted it: a second person has to approve (R-E06)")
        former = (_TABLE.tenant_id == tenant_id) & (_TABLE.sha256 == kept.recalibration.sha256)
        retired = {"state": "retired", "retired_at": event.happened_at}
        connection.execute(update(tables.recalibration).where(former, _TABLE.state == "in-force").values(**retired))
        values = {"state": "in-force", "approved_at": event.happened_at, "approved_by": event.done_by}
        connection.execute(_this(kept).values(**values))
        _note(connection, event, kept.recalibration, "in-force")
        return _find(connection, tenant_id, model, number)


def retire(engine: Engine, tenant_id: str, model: str, number: int, event: AdministrationEvent) -> None:
    """Take it out of force, or refuse a proposal: the model's own figure is told again."""
    with engine.begin() as connection:
        _hold(connection, tenant_id, model)
        kept = _find(connection, tenant_id, model, number)
        if kept.state == "retired":
            raise RecalibrationError(f"{model} number {number} is retired already")
        connection.execute(_this(kept).values(state="retired", retired_at=event.happened_at))
        _note(connection, event, kept.recalibration, "retired")


def _hold(connection: Connection, tenant_id: str, model: str) -> None:
    """Nobody else decides on this model until this is committed: what is read from here on is what will be changed."""
    own = (_TABLE.tenant_id == tenant_id, _TABLE.model == model)
    connection.execute(select(_TABLE.id).where(*own).order_by(_TABLE.id).with_for_update()).all()
    if connection.dialect.name == "sqlite":  # which locks by the first change alone
        connection.execute(update(tables.recalibration).where(*own).values(n=_TABLE.n))


def _this(kept: Kept) -> Any:
    return update(tables.recalibration).where(_TABLE.id == kept.recalibration.id)


def _find(connection: Connection, tenant_id: str, model: str, number: int) -> Kept:
    where = (_TABLE.tenant_id == tenant_id, _TABLE.model == model, _TABLE.number == number)
    row = connection.execute(select(tables.recalibration).where(*where)).mappings().first()
    if row is None:
        raise RecalibrationError(f"{tenant_id} has no recalibration of {model} with number {number}")
    return _kept(row)


def _note(connection: Connection, event: AdministrationEvent, of: Recalibration, value: str) -> None:
    """The event, in the transaction of the change."""
    scope = f"recalibration {of.number} of {of.model} {of.version}"
    noted = msgspec.structs.replace(event, scope=scope, value=value)
    connection.execute(insert(tables.administration).values(**msgspec.structs.asdict(noted)))


def _columns(tenant_id: str, of: Recalibration, event: AdministrationEvent) -> dict[str, Any]:
    members = msgspec.structs.asdict(of)
    del members["approved_on"]
    return {
        **{name: value for name, value in members.items() if name not in ("first", "last", "covariance")},
        "tenant_id": tenant_id,
        "covariance": msgspec.json.encode(of.covariance).decode(),
        "first_day": of.first.isoformat(),
        "last_day": of.last.isoformat(),
        "state": "proposed",
        "fitted_at": event.happened_at,
        "fitted_by": event.done_by,
    }


def _kept(row: RowMapping) -> Kept:
    approved = row["approved_at"]
    found = {name: row[name] for name in Recalibration.__struct_fields__ if name in row}
    found |= {
        "covariance": tuple(msgspec.json.decode(row["covariance"])),
        "first": datetime.date.fromisoformat(row["first_day"]),
        "last": datetime.date.fromisoformat(row["last_day"]),
        "approved_on": approved.date() if approved else None,
    }
    about = {name: row[name] for name in Kept.__struct_fields__ if name in row}
    return Kept(recalibration=Recalibration(**found), **about)
