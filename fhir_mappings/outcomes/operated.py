"""The operation that was done after an order: the first completed procedure of the ordered group."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from fhir_mappings.fhir.dates import Moment
from fhir_mappings.outcomes import code_meaning
from fhir_mappings.outcomes.followed_person import DatedProcedure, FollowedPerson
from fhir_mappings.outcomes.stays import Stay

# No source: how long after its order an operation may still be that of the order.
LONGEST_WAIT_DAYS = 180
# A call is told in UTC, the day of an operation in the hospital's own zone: they may differ by one.
_ZONES_APART = timedelta(days=1)

NotFound = Literal["operation-not-found", "operation-day-unknown"]


class Operated(Struct, frozen=True, kw_only=True):
    """One operation: its Procedure, its day in the hospital's zone, when it began, and its stay or visit."""

    source: str
    day: date
    begun: Moment
    stay: Stay | None


def operated(
    person: FollowedPerson, group: str, *, ordered_on: date, taken: Collection[str] = ()
) -> Operated | NotFound:
    """The first completed procedure of the group from the day of the order on; `taken`: those of later orders.

    Where one without a whole date could be it, nobody knows which day the outcomes are counted from.
    """
    first, last = ordered_on - _ZONES_APART, ordered_on + timedelta(days=LONGEST_WAIT_DAYS)
    of_group = [one for one in person.procedures if _is(one, group, person) and one.source not in taken]
    near = [one for one in of_group if one.when is None or (one.when.last >= first and one.when.first <= last)]
    whole = [(one.when, one) for one in near if one.when is not None and one.when.whole_date]
    if not whole:
        return "operation-day-unknown" if near else "operation-not-found"
    when, found = min(whole, key=lambda pair: (pair[0].first, pair[0].time, pair[1].source))
    others = [one.when for one in near if one.when is None or not one.when.whole_date]
    if any(other is None or other.first <= when.first for other in others):
        return "operation-day-unknown"
    return Operated(source=found.source, day=when.first, begun=when, stay=_stay(person, found, when.first))


def _is(one: DatedProcedure, group: str, person: FollowedPerson) -> bool:
    return one.procedure.status == "completed" and group in code_meaning.operation_groups(
        one.procedure.code, person.words
    )


def _stay(person: FollowedPerson, of: DatedProcedure, day: date) -> Stay | None:
    """The stay that the procedure names, else the admission, else the visit that holds its day."""
    certain = [one for one in person.stays if one.in_person]
    for one in certain:
        if of.encounter and one.id == of.encounter:
            return one
    on_the_day = [one for one in certain if one.holds(day) and _may_last(one, day)]
    return max(on_the_day, key=lambda one: (bool(one.inpatient), _began(one), one.source), default=None)


def _may_last(one: Stay, day: date) -> bool:
    """Whether a stay holds the day by more than that nobody wrote down its end."""
    return one.end is not None or bool(one.inpatient) or _began(one) == day


def _began(one: Stay) -> date:
    return one.start.first if one.start is not None else date.min
