"""Which operations may be counted: their week is over, their horizon, and the time an outcome takes to be reported.

An outcome that came early is known early; "nothing happened" is known late. Whoever counts what is known today counts
too many events of recent weeks, or too few where reports come late. So a week counts whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

import msgspec

# The register of a hospital may take a quarter to close. A hospital that knows its own lag says so (--lag-days).
LAG_DAYS = 90
# "In hospital": followed for a month, and an outcome counts whenever it came.
UNTIL_DISCHARGE_DAYS = 30

Standing = Literal["counts", "undated", "not-mature", "lost", "contradicted", "unknown"]


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one outcome of one operation.

    `occurred`: None where nobody has said. `contradicted`: two statements cannot both be true.
    """

    day: date
    occurred: bool | None = None
    occurred_on: date | None = None
    observed_through: date | None = None
    contradicted: bool = False


class Standings(msgspec.Struct, frozen=True):
    """How many operations stand how."""

    of: dict[str, int]

    def count(self, standing: Standing) -> int:
        """How many stand so."""
        return self.of.get(standing, 0)


def standing(of: Followed, *, horizon_days: int | None, as_of: date, lag_days: int = LAG_DAYS) -> Standing:
    """Whether the operation counts on the day `as_of`, and if not, why.

    `not-mature`: its ISO week could not be known whole yet. `lost`: the week is mature and the patient was not followed
    through the horizon; of somebody with an event only where the file says that they were followed beyond it, and yet
    not through the horizon. `undated`: said by a file without days; whether it is mature cannot be told.
    Without `horizon_days` the outcome is one until discharge.
    """
    horizon = _followed_for(horizon_days)
    if of.contradicted:
        return "contradicted"
    if countable_from(of.day, horizon_days=horizon_days, lag_days=lag_days) > as_of:
        return "not-mature"
    if of.occurred is None:
        return "unknown"
    if (of.occurred_on if of.occurred else of.observed_through) is None:
        return "undated"
    return "lost" if _is_lost(of, of.day + horizon) else "counts"


def _is_lost(of: Followed, end: date) -> bool:
    """Whether it counts as little with an event as without. Who ends with the event is followed as far as it needs."""
    if of.observed_through is None or of.observed_through >= end:
        return False
    return not of.occurred or of.occurred_on is None or of.occurred_on < of.observed_through


def happened(of: Followed, *, horizon_days: int | None) -> bool:
    """Did it happen within the horizon? An outcome after it is none; an undated one is taken at its word."""
    if not of.occurred:
        return False
    if horizon_days is None or of.occurred_on is None:
        return True
    return of.occurred_on <= of.day + timedelta(days=horizon_days)


def standings(of: Iterable[Followed], *, horizon_days: int | None, as_of: date, lag_days: int = LAG_DAYS) -> Standings:
    """How many operations stand how on that day."""
    return Standings(
        dict(Counter(standing(one, horizon_days=horizon_days, as_of=as_of, lag_days=lag_days) for one in of))
    )


def countable_from(day: date, *, horizon_days: int | None, lag_days: int = LAG_DAYS) -> date:
    """The day on which the week of an operation of that day becomes mature."""
    return week_ends(day) + _followed_for(horizon_days) + timedelta(days=lag_days)


def _followed_for(horizon_days: int | None) -> timedelta:
    return timedelta(days=UNTIL_DISCHARGE_DAYS if horizon_days is None else horizon_days)


def week_ends(day: date) -> date:
    """The Sunday of its ISO week."""
    return day + timedelta(days=7 - day.isoweekday())
