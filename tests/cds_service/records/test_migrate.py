"""Migrations: forward from nothing, back, forward again; what the code reads is what they build."""

from pathlib import Path

from alembic import autogenerate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from cds_service.records import database, migrate, tables


def test_the_migrations_build_exactly_the_tables_of_the_code(url):
    engine = database.connect(url, durable=True, connections=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
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
