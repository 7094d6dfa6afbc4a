"""The validation reports of a tenant in the record: who made which, and the evidence that its hash names."""

from __future__ import annotations

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent

ACTION = "validation"
_SCOPE = "report="


def keep(engine: Engine, event: AdministrationEvent, *, sha256: str, evidence: bytes) -> None:
    """Note that a report was made, with its evidence in the place of a reason."""
    values = {name: getattr(event, name) for name in AdministrationEvent.__struct_fields__}
    values |= {"action": ACTION, "scope": f"{_SCOPE}{sha256}", "reason": evidence.decode()}
    with engine.begin() as connection:
        connection.execute(insert(tables.administration).values(**values))


def find(engine: Engine, tenant_id: str, sha256: str) -> bytes | None:
    """The evidence that stands under this hash; whether it is still what the hash names, the reader looks at."""
    table = tables.administration.c
    statement = (
        select(table.reason)
        .where(table.action == ACTION, table.tenant_id == tenant_id, table.scope == f"{_SCOPE}{sha256}")
        .order_by(table.id.desc())
        .limit(1)
    )
    try:
        with engine.connect() as connection:
            found: str | None = connection.execute(statement).scalar()
    except SQLAlchemyError as error:
        raise DatabaseError("the validation reports cannot be read") from error
    return None if found is None else found.encode()
