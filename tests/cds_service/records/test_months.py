"""The record in months on PostgreSQL: existing rows kept, months made ahead, removed whole, and back to one table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, func, select, text

from cds_service.records import database, lookups, migrate, months, retention, switches, tables, writer
from cds_service.records.rows import EvaluationRow
from cds_service.trust import time_ordered_id
from tests.cds_service.records import postgres
from tests.cds_service.records.rows_of import NOON, a_card, an_evaluation

pytestmark = pytest.mark.end_to_end
TABLES = (tables.evaluation, tables.card, tables.suggestion)


@pytest.fixture
def engine(postgres_folder: str) -> Iterator[Engine]:
    """A PostgreSQL without tables."""
    with postgres.database(postgres_folder) as url:
        opened = database.connect(url, durable=True, connections=2)
        yield opened
        opened.dispose()


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def counts(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in TABLES]


def of_month(engine: Engine, ending: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM evaluation_{ending}")).scalar_one())


def received(at: datetime, **members: Any) -> EvaluationRow:
    return an_evaluation(id=time_ordered_id.draw(at), received_at=at, **members)


def endings(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [one.ending for one in months.kept(connection)]


def write_as_before(engine: Engine, row: EvaluationRow) -> None:
    """As a node of the version before writes: it knows of no instant of a card."""
    columns = {name: value for name, value in writer._columns(row).items() if name in tables.evaluation.c}
    with engine.begin() as connection:
        connection.execute(tables.evaluation.insert().values(columns))
        for card in row.cards:
            values = {"u": card.uuid, "e": row.id, "t": row.tenant_id}
            connection.execute(
                text(
                    "INSERT INTO card (uuid, evaluation_id, tenant_id, indicator, shown)"
                    " VALUES (:u, :e, :t, 'info', true)"
                ),
                values,
            )
            for one in card.suggestions:
                connection.execute(
                    text("INSERT INTO suggestion (uuid, card_uuid, rule) VALUES (:s, :u, :r)"),
                    {"s": one.uuid, "u": card.uuid, "r": one.rule},
                )


def test_what_was_kept_before_stays_and_a_node_of_the_version_before_goes_on_writing(engine: Engine) -> None:
    migrate.upgrade(url_of(engine), "0005")
    old = [an_evaluation(received_at=NOON - timedelta(days=400 * number)) for number in range(4)]
    for row in old:
        write_as_before(engine, row)
    migrate.upgrade(url_of(engine))
    late = an_evaluation(received_at=datetime.now(UTC))
    write_as_before(engine, late)
    assert counts(engine) == [5, 5, 5]
    for row in (*old, late):
        kept = lookups.evaluation(engine, row.id)
        assert kept is not None
        assert (kept.received_at, [card.uuid for card in kept.cards]) == (row.received_at, [row.cards[0].uuid])
        assert kept.cards[0].suggestions == row.cards[0].suggestions
    migrate.downgrade(url_of(engine), "0005")
    assert counts(engine)[0] == 5
    migrate.upgrade(url_of(engine))
    assert counts(engine) == [5, 5, 5]


def test_a_row_lies_in_its_month_and_a_lookup_by_its_id_reads_no_other(engine: Engine) -> None:
    migrate.upgrade(url_of(engine))
    names = endings(engine)
    assert len(names) == months.AHEAD + 1
    with engine.connect() as connection:
        last = months.kept(connection)[-1]
    row = received(last.until - timedelta(seconds=1))
    writer.write(engine, [row])
    assert of_month(engine, last.ending) == 1
    assert lookups.evaluation(engine, row.id) == msgspec.structs.replace(row, models=row.models)
    with engine.connect() as connection:
        told = connection.execute(
            text("EXPLAIN SELECT * FROM evaluation WHERE id = :id AND received_at BETWEEN :a AND :b"),
            {"id": row.id, "a": row.received_at - timedelta(days=1), "b": row.received_at},
        ).scalars()
        read = "\n".join(told)
    assert f"evaluation_{last.ending}" in read
    assert "evaluation_before" not in read


def test_what_no_month_was_made_for_is_kept_and_moved_when_it_is(engine: Engine) -> None:
    migrate.upgrade(url_of(engine))
    with engine.connect() as connection:
        end = months.kept(connection)[-1].until
    rows = [received(end + timedelta(days=15 * number)) for number in range(1, 5)]
    writer.write(engine, rows)
    assert of_month(engine, months.REST) == 4
    assert months.prepare(engine, end) == months.AHEAD + 1
    assert months.prepare(engine, end) == 0
    assert of_month(engine, months.REST) == 0
    assert counts(engine) == [4, 4, 4]
    assert all(lookups.evaluation(engine, row.id) is not None for row in rows)


def test_only_months_that_are_over_for_everybody_go_and_each_is_an_event(engine: Engine) -> None:
    migrate.upgrade(url_of(engine))
    with engine.connect() as connection:
        first, second, *_ = months.kept(connection)
    rows = [received(first.until - timedelta(minutes=1)), received(first.until + timedelta(minutes=1))]
    writer.write(engine, rows)
    for row in rows:
        values = {"evaluation_id": row.id, "outcome": "30-day-death", "occurred": False, "source": "s"}
        with engine.begin() as connection:
            connection.execute(tables.outcome.insert().values(**values, tenant_id=row.tenant_id, recorded_at=NOON))
    assert months.remove(engine, first.until - timedelta(seconds=1), NOON) == ()
    assert counts(engine) == [2, 2, 2]
    assert months.remove(engine, first.until, NOON) == (first.ending,)
    assert counts(engine) == [1, 1, 1]
    with engine.connect() as connection:
        assert connection.execute(select(tables.outcome.c.evaluation_id)).scalars().all() == [rows[1].id]
    assert [event.scope for event in switches.history(engine)] == [f"month={first.ending}"]
    assert endings(engine)[0] == second.ending
    assert months.prepare(engine, first.until - timedelta(days=1)) == 0
    assert months.prepare(engine, first.until) == 1


def test_a_month_of_many_rows_is_gone_within_a_second(engine: Engine) -> None:
    migrate.upgrade(url_of(engine))
    with engine.connect() as connection:
        first, *_ = months.kept(connection)
    for _ in range(10):
        writer.write(engine, [received(first.until - timedelta(seconds=n), cards=(a_card(),)) for n in range(1, 501)])
    started = time.perf_counter()
    assert months.remove(engine, first.until, NOON) == (first.ending,)
    assert time.perf_counter() - started < 1.0
    assert counts(engine) == [0, 0, 0]


def test_a_tenants_own_days_are_kept_within_a_month(engine: Engine) -> None:
    migrate.upgrade(url_of(engine))
    now = datetime.now(UTC)
    writer.write(engine, [received(now - timedelta(days=days)) for days in (5, 40)])
    write_as_before(engine, an_evaluation(received_at=now - timedelta(days=31)))
    purged = retention.purge(engine, "general-hospital", evaluation_days=30, comment_days=10, case_days=30, now=now)
    assert purged.evaluations == 2
    assert counts(engine)[0] == 1
