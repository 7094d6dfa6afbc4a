"""Ids of version 7: they sort by their instant, tell it again, and no two are alike."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.trust import time_ordered_id

INSTANTS = st.integers(86_400, 200_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(INSTANTS, INSTANTS)
def test_an_id_is_a_uuid_of_version_7_that_sorts_by_its_instant_and_tells_it(one: datetime, other: datetime) -> None:
    first, second = time_ordered_id.draw(one), time_ordered_id.draw(other)
    assert (uuid.UUID(first).version, uuid.UUID(first).variant) == (7, uuid.RFC_4122)
    assert str(uuid.UUID(first)) == first
    told = time_ordered_id.instant(first)
    assert told is not None
    assert timedelta(0) <= one - told < timedelta(milliseconds=2)
    if abs(one - other) > timedelta(milliseconds=1):
        assert (first < second) == (one < other)


def test_no_two_ids_of_one_instant_are_alike() -> None:
    now = datetime.now(UTC)
    assert len({time_ordered_id.draw(now) for _ in range(10_000)}) == 10_000


def test_an_id_is_of_now_by_itself() -> None:
    told = time_ordered_id.instant(time_ordered_id.draw())
    assert told is not None
    assert abs(datetime.now(UTC) - told) < timedelta(seconds=5)


DRAWN_AT_RANDOM = "c2877a6e-fcdf-4176-85e8-9abeb311edc1"


@pytest.mark.parametrize("text", ["", "x", DRAWN_AT_RANDOM, "ffffffff-ffff-7000-8000-000000000000", "0" * 36])
def test_what_is_no_such_id_tells_no_instant(text: str) -> None:
    assert time_ordered_id.instant(text) is None
