"""Migrations: forward from nothing, back, forward again; what the code reads is what they build."""

from pathlib import Path
from typing import Any

import pytest
from alembic import autogenerate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from cds_service.records import database, lookups, migrate, months, tables, writer
from tests.cds_service.records.rows_of import NOON, an_evaluation

pytestmark = pytest.mark.usefixtures("made_anew")


def test_the_migrations_build_exactly_the_tables_of_the_code(url):
    engine = database.connect(url, durable=True, connections=1)
    with engine.connect() as connection:
        of_months = {f"{table}_{one.ending}" for table in months.TABLES for one in months.kept(connection)}
        of_months |= {f"{table}_{months.REST}" for table in months.TABLES}

        def is_compared(thing: Any, name: str, kind: str, *_: Any) -> bool:
            """On PostgreSQL a month is a table too, and nothing in months has a foreign key (months.py)."""
            is_reference = kind == "foreign_key_constraint" and thing.table.name in months.TABLES
            return name not in of_months and not (is_reference and connection.dialect.name == "postgresql")

        context = MigrationContext.configure(connection, opts={"compare_type": False, "include_object": is_compared})
        assert autogenerate.compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_revision_the_code_expects_is_the_newest_migration(url):
    assert ScriptDirectory.from_config(migrate.configuration()).get_current_head() == database.REVISION
    engine = database.connect(url, durable=True, connections=1)
    assert database.revision(engine) == database.REVISION
    engine.dispose()


def test_an_empty_database_has_no_revision_and_a_second_upgrade_changes_nothing(empty_url):
    engine = database.connect(empty_url, durable=True, connections=1)
    assert database.revision(engine) is None
    migrate.upgrade(empty_url)
    migrate.upgrade(empty_url)
    assert database.revision(engine) == database.REVISION
    engine.dispose()


def test_back_to_nothing_and_forward_again(url):
    engine = database.connect(url, durable=True, connections=1)
    migrate.downgrade(url, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate.upgrade(url)
    assert set(tables.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_database_url_of_a_platform_gets_our_driver_and_is_told_without_its_password():
    assert database.normal("postgres://u:secret@h/d") == "postgresql+psycopg://u:secret@h/d"
    assert "secret" not in database.safe("postgresql://u:secret@h/d")


def test_a_record_on_disk_is_for_nobody_else(tmp_path: Path) -> None:
    """Patients' ids lie in it and in its journals; also one that an earlier version left readable."""
    path = tmp_path / "record.sqlite3"
    path.touch(mode=0o644)
    migrate.upgrade(f"sqlite:///{path}")
    engine = database.connect(f"sqlite:///{path}", durable=True, connections=1)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        modes = {one.name: oct(one.stat().st_mode & 0o777) for one in tmp_path.iterdir()}
    engine.dispose()
    assert set(modes.values()) == {"0o600"}
    assert len(modes) == 3


def test_cards_and_suggestions_of_before_get_the_instant_of_their_evaluation(empty_url: str) -> None:
    migrate.upgrade(empty_url, "0005")
    engine = database.connect(empty_url, durable=True, connections=1)
    row = an_evaluation(received_at=NOON)
    columns = {name: value for name, value in writer._columns(row).items() if name in tables.evaluation.c}
    with engine.begin() as connection:
        connection.execute(tables.evaluation.insert().values(columns))
        card, suggestion = row.cards[0], row.cards[0].suggestions[0]
        values = {"u": card.uuid, "e": row.id, "s": suggestion.uuid, "r": suggestion.rule}
        connection.execute(
            text(
                "INSERT INTO card (uuid, evaluation_id, tenant_id, indicator, shown) VALUES (:u, :e, 't', 'info', true)"
            ),
            values,
        )
        connection.execute(text("INSERT INTO suggestion (uuid, card_uuid, rule) VALUES (:s, :u, :r)"), values)
    migrate.upgrade(empty_url)
    assert lookups.evaluation(engine, row.id) == row
    with engine.connect() as connection:
        for table in (tables.card, tables.suggestion):
            assert connection.execute(select(table.c.received_at)).scalars().all() == [NOON]
    engine.dispose()
