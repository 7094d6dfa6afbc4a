"""What people changed in a running service, noted with who, when and why (R-E06)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine, insert
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.rows import AdministrationEvent


def note(engine: Engine, events: Sequence[AdministrationEvent]) -> None:
    """Commit the events, all or none. Raises DatabaseError, so that nobody changes what cannot be accounted for."""
    try:
        with engine.begin() as connection:
            connection.execute(insert(tables.administration), [msgspec.structs.asdict(event) for event in events])
    except SQLAlchemyError as error:
        raise DatabaseError("the event cannot be kept, and so nothing was changed; migrate the record first") from error
