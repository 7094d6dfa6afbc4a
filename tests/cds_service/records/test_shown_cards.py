"""Whoever is first says under which uuid the same card stands, on every node, for minutes, by tenant."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from cds_service.records import shown_cards, tables
from cds_service.records.database import DatabaseError


def first(records, uuid, *, same="same", tenant="t", now=1000.0):
    return records.first_uuid(tenant, same, uuid, now=now, keep_s=300.0)


def test_two_nodes_show_the_same_card_under_the_uuid_of_the_first(open_records):
    one, two = open_records(), open_records()
    assert first(one, "a") == "a"
    assert first(two, "b") == "a"
    assert first(one, "c") == "a"


def test_another_card_or_tenant_has_its_own(records):
    first(records, "a")
    assert first(records, "b", same="another") == "b"
    assert first(records, "c", tenant="u") == "c"


def test_after_its_time_the_next_is_the_first_again(records):
    first(records, "a", now=1000.0)
    assert first(records, "b", now=1300.0) == "a"
    assert first(records, "c", now=1400.0) == "c"
    assert first(records, "d", now=1400.0) == "c"


def test_of_many_at_once_all_have_one_uuid(open_records):
    nodes = open_records(), open_records()
    with ThreadPoolExecutor(8) as threads:
        told = set(threads.map(lambda number: first(nodes[number % 2], f"{number}"), range(32)))
    assert len(told) == 1


def test_what_has_expired_goes_and_the_rest_stays(records):
    first(records, "a", same="old", now=1000.0)
    first(records, "b", same="new", now=2000.0)
    assert shown_cards.forget_expired(records.quick, 1500.0) == 1
    with records.quick.connect() as connection:
        assert connection.execute(select(tables.shown_card.c.card_uuid)).scalars().all() == ["b"]


def test_where_nobody_can_tell_that_is_said(records):
    with records.durable.begin() as connection:
        connection.exec_driver_sql("DROP TABLE shown_card")
    with pytest.raises(DatabaseError):
        first(records, "a")
