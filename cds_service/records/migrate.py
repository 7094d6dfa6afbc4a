"""Bring the database to the schema of this version; run by the command line before any worker starts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, delete, insert, text
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import database, months, reasons, tables

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that no other program takes: two nodes that start at once migrate one after the other.
_LOCK = 7_281_940_263


def configuration() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing, data kept. Raises DatabaseError naming the database without its password, and why.

    A database that a newer version has brought further stays as it is where this version may use it, else it is an
    error.
    """
    engine = database.connect(url, durable=True, connections=1)
    config = configuration()
    try:
        if is_newer(database.revision(engine)):
            if (why := database.unlike(engine)) is not None:
                raise database.DatabaseError(f"{database.safe(url)}: {why}")
            return
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # Of this transaction, which all steps are part of: behind PgBouncer the next one has another session.
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            _note_reader(connection, config)
            connection.commit()
        months.prepare(engine, datetime.now(UTC))
    except SQLAlchemyError as error:
        raise database.DatabaseError(f"{database.safe(url)}: {reasons.reason(error)}") from error
    finally:
        engine.dispose()


def is_newer(revision: str | None) -> bool:
    """Whether a newer version of this service brought a database to this revision: none of ours leads there."""
    return revision is not None and revision > database.REVISION


def _note_reader(connection: Connection, config: Config) -> None:
    """Which versions may use the database from now on, by the script that it stands at."""
    at = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config).get_revision(at or "base")
    oldest = getattr(script.module, "OLDEST_READER", None) if script is not None else None
    if oldest is not None:
        connection.execute(delete(tables.schema_reader))
        connection.execute(insert(tables.schema_reader).values(oldest=oldest))


def downgrade(url: str, revision: str) -> None:
    """Go back to an earlier revision, by the version that went further; what only that one kept is deleted."""
    engine = database.connect(url, durable=True, connections=1)
    config = configuration()
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # A table that loses a column is copied and dropped; what refers to its rows must not go with them.
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                connection.commit()
            config.attributes["connection"] = connection
            command.downgrade(config, revision)
            _note_reader(connection, config)
            connection.commit()
    except CommandError as error:
        told = f"{database.safe(url)}: this version knows no revision {revision} that leads back from where it is"
        raise database.DatabaseError(told) from error
    except SQLAlchemyError as error:
        raise database.DatabaseError(f"{database.safe(url)}: {reasons.reason(error)}") from error
    finally:
        engine.dispose()
