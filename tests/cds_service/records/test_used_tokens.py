"""A token id is taken once, whichever worker or node asks, and forgotten after it has expired."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.records.database import DatabaseError


def first(records, jti, *, tenant="t", issuer="i", now=1000.0):
    return records.used_tokens.first_use(tenant, issuer, jti, expires_at=now + 300, now=now)


def test_R_G05_two_nodes_take_a_token_once(open_records):
    one, two = open_records(), open_records()
    assert first(one, "a")
    assert not first(two, "a")
    assert not first(one, "a")


def test_the_same_id_of_another_issuer_or_tenant_is_another_token(records):
    assert first(records, "a")
    assert first(records, "a", issuer="j")
    assert first(records, "a", tenant="u")


def test_of_many_at_once_exactly_one_is_first(open_records):
    one, two = open_records(), open_records()
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: first((one, two)[number % 2], "same"), range(32)))
    assert sum(results) == 1


def test_expired_ids_are_forgotten(records):
    first(records, "old", now=1000.0)
    first(records, "new", now=2000.0)
    assert records.used_tokens.forget_expired(1500.0) == 1
    assert not first(records, "new", now=2000.0)


def test_without_the_database_nobody_is_let_in(records):
    with records.durable.begin() as connection:
        connection.exec_driver_sql("DROP TABLE used_token")
    with pytest.raises(DatabaseError):
        first(records, "a")


def test_a_connection_that_the_server_closed_refuses_one_caller_and_no_more(records):
    connection = records.quick.raw_connection()
    below = connection.dbapi_connection
    connection.close()
    below.close()
    refused = 0
    for number in range(8):
        try:
            assert first(records, f"{number}")
        except DatabaseError:
            refused += 1
    assert refused <= 1
