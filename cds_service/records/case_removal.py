"""One case of an operation taken out of the record, with all that it holds and who sent it; that it was is an event."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.during_tables import during_arrival, during_case, during_entry
from cds_service.records.rows import AdministrationEvent

ACTION = "remove-case"


class RemovedCase(msgspec.Struct, frozen=True):
    """What was taken out; `others`: how many cases of the same patient are left."""

    entries: int
    arrivals: int
    others: int


def remove_case(engine: Engine, tenant_id: str, case_id: str, event: AdministrationEvent) -> RemovedCase | None:
    """Delete a case of this tenant; None where there is none. The event says how much stood there, and is committed

    with it or not at all. Raises DatabaseError where nothing could be done.
    """
    cases = during_case.c
    try:
        with engine.begin() as connection:
            found = connection.execute(
                select(cases.patient_id).where(cases.tenant_id == tenant_id, cases.id == case_id)
            )
            if (row := found.first()) is None:
                return None
            entries, arrivals = (
                connection.execute(delete(table).where(table.c.case_id == case_id)).rowcount
                for table in (during_entry, during_arrival)
            )
            connection.execute(delete(during_case).where(cases.id == case_id))
            own = (cases.tenant_id == tenant_id, cases.patient_id == row.patient_id)
            others = connection.execute(select(func.count()).select_from(during_case).where(*own)).scalar_one()
            removed = RemovedCase(entries, arrivals, others)
            said = msgspec.structs.replace(event, value=f"removed: {entries} entries, {arrivals} senders")
            connection.execute(insert(tables.administration).values(msgspec.structs.asdict(said)))
    except SQLAlchemyError as error:
        raise DatabaseError("nothing could be removed; migrate the record first") from error
    return removed
