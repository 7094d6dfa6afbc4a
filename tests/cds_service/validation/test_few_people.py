"""A group of few people is hidden as one of few operations is, however often they were operated on."""

from __future__ import annotations

from datetime import UTC, date, datetime

from cds_service.follow_up.maturity import Followed
from cds_service.validation import group_tables
from cds_service.validation.collected import ValidatedOperation
from cds_service.validation.group_tables import GroupTable
from cds_service.validation.outcome_figures import ScoredCase

DAY = date(2026, 3, 1)


def an_operation(number: int, language: str, person: str | None) -> ValidatedOperation:
    return ValidatedOperation(
        evaluation_id=f"e{number}-{language}", asked_at=datetime(2026, 3, 1, tzinfo=UTC), day=DAY, calls=1, band=None,
        procedure_group="spine-fusion", indicator=None, reason=None, inputs={}, predictions=(), entries_missed={},
        speech=None, followed={"death": Followed(day=DAY, occurred=False)}, cohorts={"language": language},
        person=person,
    )  # fmt: skip


def table(people: int | None) -> GroupTable:
    """Forty operations of people who speak Welsh, of so many of them; eighty each of three other languages."""
    own = [an_operation(n, "cy", None if people is None else f"w{n % people}") for n in range(40)]
    others = [an_operation(n, one, f"{one}{n}") for one in ("de", "en", "fr") for n in range(80)]
    cases = [ScoredCase(one, "m", "s", 0.2, 0.2, None, n % 2 == 0) for n, one in enumerate([*own, *others])]
    found = group_tables.tables([*own, *others], {"death": cases})
    return next(one for one in found if one.dimension == "language")


def told(of: GroupTable) -> tuple[int | None, int | None]:
    (count,) = [row.n for row in of.operations.rows if row.name == "cy"]
    (events,) = [one.events for one in of.outcomes[0].groups if one.name == "cy"]
    return count, events


def test_forty_operations_of_nine_people_are_told_nowhere() -> None:
    assert told(table(9)) == (None, None)
    assert sum(row.n is None for row in table(9).operations.rows) == 2, "another one, so that none can be subtracted"


def test_of_ten_people_or_where_nobody_keeps_whose_they_are_operations_count() -> None:
    assert told(table(10)) == told(table(None)) == (40, 20)
