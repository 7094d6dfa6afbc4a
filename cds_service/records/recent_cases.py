"""When the last cases of one patient began and ended, as it is recorded; none of their values is read."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records.database import DatabaseError
from cds_service.records.during_tables import NO_VALUE, during_case, during_entry

# Of one patient on the way of a call; whoever has more is told as `whole=False`.
MOST_CASES, MOST_TIMES = 20, 500


class RecentCase(Struct, frozen=True):
    """One case: its Procedures and Encounters, each version, and how many values it holds.

    `first_at`, `last_at`: when something of it first and last came. `whole`: whether all that says when it was is here.
    """

    id: str
    first_at: datetime
    last_at: datetime
    times: tuple[str, ...]
    values: int
    whole: bool = True


def recent_cases(engine: Engine, tenant_id: str, patient_id: str, *, since: datetime) -> tuple[RecentCase, ...]:
    """The cases of one patient of which something came since then, the last one first. Raises DatabaseError."""
    own = (during_case.c.tenant_id == tenant_id, during_case.c.patient_id == patient_id, during_case.c.last_at >= since)
    cases = select(during_case).where(*own)
    try:
        with engine.connect() as connection:
            found = connection.execute(cases.order_by(during_case.c.last_at.desc()).limit(MOST_CASES + 1)).all()
            if not found:
                return ()
            of_them = (during_entry.c.case_id.in_([row.id for row in found]), NO_VALUE)
            counted = select(during_entry.c.case_id, func.count()).where(*of_them).group_by(during_entry.c.case_id)
            others = {row[0]: row[1] for row in connection.execute(counted)}
            bodies: dict[str, list[str]] = defaultdict(list)
            asked = select(during_entry.c.case_id, during_entry.c.body).where(*of_them, during_entry.c.kind == "times")
            for row in connection.execute(asked.limit(MOST_TIMES)):
                bodies[row.case_id].append(row.body)
    except SQLAlchemyError as error:
        raise DatabaseError("the cases of a patient cannot be read") from error
    whole = len(found) <= MOST_CASES and sum(others.values()) <= MOST_TIMES
    return tuple(
        RecentCase(row.id, row.first_at, row.last_at, tuple(bodies[row.id]), row.entries - others.get(row.id, 0), whole)
        for row in found
    )
