"""Every transaction on PostgreSQL has its end from its own beginning, however it is begun; on SQLite every wait has."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from cds_service.records import database, reasons, time_limit
from tests.cds_service.records import postgres
from tests.patience import tried_again


@pytest.fixture
def served(postgres_folder: str) -> Iterator[Engine]:
    with postgres.database(postgres_folder) as url:
        engine = database.connect(url, durable=False, connections=2, patience=time_limit.OF_A_SERVICE)
        yield engine
        engine.dispose()


def setting(engine: Engine, name: str) -> str:
    with engine.connect() as connection:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar())


def milliseconds(told: str) -> float:
    number = float(told.removesuffix("ms").removesuffix("s"))
    return number if told.endswith("ms") else 1000 * number


@pytest.mark.end_to_end
def test_each_transaction_is_told_when_it_ends_and_that_no_commit_is_waited_for(served: Engine) -> None:
    for _ in range(2):
        assert 4_000 < milliseconds(setting(served, "statement_timeout")) <= 5_000
        assert setting(served, "synchronous_commit") == "off"


@pytest.mark.end_to_end
def test_settings_do_not_outlive_the_transaction_as_behind_pgbouncer_nothing_may(served: Engine) -> None:
    assert milliseconds(setting(served, "statement_timeout")) > 0
    with served.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        assert outside.exec_driver_sql("SHOW statement_timeout").scalar() == "0"
        assert outside.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


@pytest.mark.end_to_end
def test_a_raw_connection_and_many_rows_at_once_have_them_too(served: Engine) -> None:
    raw = served.raw_connection()
    cursor = raw.cursor()
    cursor.execute("SHOW statement_timeout")
    assert milliseconds(cursor.fetchone()[0]) > 0
    raw.rollback()
    cursor.execute("CREATE TEMPORARY TABLE number (value text)")
    raw.commit()
    cursor.executemany("INSERT INTO number VALUES (current_setting(%s))", [("statement_timeout",)] * 3)
    cursor.execute("SELECT DISTINCT value FROM number")
    ((told,),) = cursor.fetchall()
    assert milliseconds(told) > 0
    raw.close()


@pytest.mark.end_to_end
def test_a_request_has_what_is_left_of_it(served: Engine) -> None:
    with time_limit.within(0.4):
        assert milliseconds(setting(served, "statement_timeout")) <= 400
        began = time.monotonic()
        with pytest.raises(OperationalError) as ended, served.connect() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(5)")
        assert time.monotonic() - began < 2.0  # of five
        assert reasons.reason(ended.value) == "it did not answer in time"
    with served.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


@pytest.mark.end_to_end
def test_a_request_whose_time_is_over_asks_nobody(served: Engine) -> None:
    time_limit.ends_at(time.monotonic() - 1)
    try:
        began = time.monotonic()
        with pytest.raises(OperationalError), served.connect() as connection:
            connection.exec_driver_sql("SELECT pg_sleep(5)")
        assert time.monotonic() - began < 1.5  # of five
    finally:
        time_limit.forget()


@tried_again
def test_who_writes_to_sqlite_is_waited_for_no_longer_than_a_call_bears(tmp_path: Path) -> None:
    file = tmp_path / "r.sqlite3"
    engine = database.connect(f"sqlite:///{file}", durable=False, connections=1, patience=time_limit.OF_A_SERVICE)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS one (value int)")
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(OperationalError) as ended, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
    assert time.monotonic() - began < 1.5
    assert reasons.reason(ended.value) == "somebody else holds it"
    holder.close()
    engine.dispose()


@tried_again
def test_a_connection_that_is_not_to_be_had_is_waited_for_shortly(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/r.sqlite3", durable=False, connections=1)
    held = [engine.connect() for _ in range(11)]  # with SQLAlchemy's ten on top
    began = time.monotonic()
    with pytest.raises(sqlalchemy.exc.TimeoutError) as ended:
        engine.connect()
    assert time.monotonic() - began < 1.0
    assert reasons.reason(ended.value) == "every connection to it is in use"
    for one in held:
        one.close()
    engine.dispose()


def test_each_wait_of_a_request_is_shorter_than_the_request_and_the_next_one_has_its_own_time() -> None:
    time_limit.begin()
    time_limit.ends_at(time.monotonic() + 60)
    assert time_limit.left_s(5.0) == time_limit.OF_A_REQUEST_S
    time_limit.ends_at(time.monotonic() + 0.5)
    assert time_limit.left_s(5.0) <= 0.5
    time_limit.forget()
    assert time_limit.left_s(5.0) == 5.0


def test_a_wait_within_a_request_never_goes_beyond_it() -> None:
    assert time_limit.left_s(5.0) == 5.0
    with time_limit.within(1.0):
        with time_limit.within(60.0):
            assert time_limit.left_s(5.0) <= 1.0
        assert time_limit.left_s(0.2) == 0.2
    assert time_limit.left_s(5.0) == 5.0
