"""Used token ids go by themselves once they have expired, and not before; an outage only puts it off."""

import time

import pytest
from sqlalchemy import select

from cds_service.records import tables
from cds_service.records.housekeeping import CLOCKS_APART_S, EVERY_S, Housekeeping
from tests.patience import tried_again


def kept(records):
    with records.durable.connect() as connection:
        return connection.execute(select(tables.used_token)).all()


def wait_for(condition):
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def keeping(records):
    housekeeping = Housekeeping(records.used_tokens.forget_expired, every_s=0.02)
    yield
    housekeeping.close()


def test_J_13_an_expired_token_id_is_forgotten_without_a_command_and_a_valid_one_is_not(records, keeping):
    now = time.time()
    records.used_tokens.first_use("t", "i", "old", expires_at=now - CLOCKS_APART_S - 5, now=now)
    records.used_tokens.first_use("t", "i", "new", expires_at=now + 300, now=now)
    wait_for(lambda: len(kept(records)) == 1)
    assert not records.used_tokens.first_use("t", "i", "new", expires_at=now + 300, now=now)
    time.sleep(0.1)
    assert len(kept(records)) == 1


def test_a_node_whose_clock_is_ahead_lets_no_token_in_twice_at_another(records, keeping):
    now = time.time()
    still_good_elsewhere = {"expires_at": now - CLOCKS_APART_S + 30, "now": now - CLOCKS_APART_S}
    assert records.used_tokens.first_use("t", "i", "one", **still_good_elsewhere)
    time.sleep(0.2)  # this node, ahead by as much, kept house several times
    assert not records.used_tokens.first_use("t", "i", "one", **still_good_elsewhere)


def test_an_outage_only_puts_it_off(records, keeping):
    with records.durable.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE used_token RENAME TO away")
    time.sleep(0.1)
    with records.durable.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO used_token")
    now = time.time()
    records.used_tokens.first_use("t", "i", "old", expires_at=now - CLOCKS_APART_S - 5, now=now)
    wait_for(lambda: not kept(records))


@tried_again
def test_every_worker_keeps_house_and_ends_at_once(open_records):
    began = time.monotonic()
    open_records().close()
    assert time.monotonic() - began < 2
    assert EVERY_S <= 3600, "no longer than a token may live"
