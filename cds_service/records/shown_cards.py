"""Under which uuid the same card stands on every node while its first row is still being written (DEC-17, DEC-42).

The record knows it a tenth of a second later. Until then, and for an exact retry where no card comes again, whoever is
first says the uuid: a digest and a uuid, nothing of the answer.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, Executable, bindparam, case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.at_driver import AtDriver
from cds_service.records.database import DatabaseError

_COLUMNS = tables.shown_card.c


def _statement(insert: sqlite.Insert | postgresql.Insert) -> Executable:
    """The row of whoever was first stays, unless it has expired; returned is the one that holds."""
    expired = _COLUMNS.expires_at < bindparam("now")
    kept = {name: case((expired, insert.excluded[name]), else_=_COLUMNS[name]) for name in ("card_uuid", "expires_at")}
    return insert.on_conflict_do_update(index_elements=[_COLUMNS.digest], set_=kept).returning(_COLUMNS.card_uuid)


_INSERTS = {
    "sqlite": _statement(sqlite.insert(tables.shown_card)),
    "postgresql": _statement(postgresql.insert(tables.shown_card)),
}


def said_first(engine: Engine) -> AtDriver:
    """The statement of `first_uuid` on this database."""
    return AtDriver(engine, _INSERTS[engine.dialect.name], failed="cards shown elsewhere could not be read")


def first_uuid(statement: AtDriver, tenant_id: str, same: str, card_uuid: str, *, now: float, keep_s: float) -> str:
    """The uuid of the card that was first among the `same` ones of this tenant; this one's, if it is.

    `same`: what makes a card the same as another. `now` in seconds of the epoch. Raises DatabaseError.
    """
    digest = hashlib.sha256(f"{tenant_id}\x00{same}".encode()).hexdigest()
    expires_at = int(now + keep_s) + 1
    return str(statement.first(digest=digest, card_uuid=card_uuid, expires_at=expires_at, now=int(now)))


def forget_expired(engine: Engine, now: float) -> int:
    """Remove what has expired; returns how many. Raises DatabaseError where that cannot be done now."""
    try:
        with engine.begin() as connection:
            return connection.execute(delete(tables.shown_card).where(_COLUMNS.expires_at < now)).rowcount
    except SQLAlchemyError as error:
        raise DatabaseError("cards shown elsewhere cannot be removed") from error
