"""Which planned operation of the record a case was: of the same patient, by day; never a guess between two.

Nothing of a case names the order that asked for it. So it is the one planned operation (planned_operations.py) that it
can be, or none is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from cds_service.follow_up.planned_operations import WINDOW, Asked, PlannedOperation, planned_operations

Why = Literal["", "none", "several"]
# No source: an order is placed weeks before its operation; what is older is hardly about it.
LOOK_BACK = timedelta(days=180)
# An operation planned for one day is done on it or beside it; another day is another operation, or nobody can tell.
_DAYS_APART = 1


class JoinedOperation(msgspec.Struct, frozen=True):
    """The operation that the case was, or why none is told."""

    operation: PlannedOperation | None = None
    why: Why = ""


def case_operation(
    asked: Sequence[Asked],
    planned_on: Mapping[str, date],
    *,
    started: datetime,
    zone: ZoneInfo,
    others: Sequence[datetime] = (),
    unknown: Sequence[datetime] = (),
) -> JoinedOperation:
    """`asked`: the calls about the patient; `planned_on`: by call the day that its order states, where it states one.

    A day that is known, from a file of outcomes or an order, has to be that of the case or the day beside it. Without
    one the last call before the start counts for 30 days, unless another case of the patient (`others`: when they
    began) lies between. `unknown`: calls about an operation that was not understood, or of which nothing was estimated:
    within 30 days before the case each may be what was done, and then none is chosen.
    """
    calls = [one for one in asked if started - LOOK_BACK <= one.at <= started]
    today = started.astimezone(zone).date()
    dated: list[PlannedOperation] = []
    undated: list[PlannedOperation] = []
    for operation in planned_operations(calls):
        day = operation.operated_on or _stated(operation, planned_on)
        last = operation.calls[-1].at
        if day is not None:
            dated += [operation] if abs((day - today).days) <= _DAYS_APART else []
        elif started - last <= WINDOW and not any(last < other < started for other in others):
            undated.append(operation)
    found = dated or undated
    may_be_another = any(started - WINDOW <= one <= started for one in unknown)
    if len(found) != 1 or may_be_another:
        return JoinedOperation(why="several" if found else "none")
    return JoinedOperation(found[0])


def _stated(operation: PlannedOperation, planned_on: Mapping[str, date]) -> date | None:
    """The day that the last order stated: it may have been moved since an earlier one."""
    days = [planned_on[call.evaluation_id] for call in operation.calls if call.evaluation_id in planned_on]
    return days[-1] if days else None
