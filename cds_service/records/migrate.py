"""Bring the database to the schema of this version; run by the command line before any worker starts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import database, months

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that no other program takes: two nodes that start at once migrate one after the other.
_LOCK = 7_281_940_263


def configuration() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Apply what is missing, data kept. Raises DatabaseError naming the database without its password, and why."""
    engine = database.connect(url, durable=True, connections=1)
    config = configuration()
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
                connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
            connection.commit()
        months.prepare(engine, datetime.now(UTC))
    except SQLAlchemyError as error:
        raise database.DatabaseError(f"{database.safe(url)}: {database.reason(error)}") from error
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """Go back to an earlier revision; for tests and for a person who knows why."""
    engine = database.connect(url, durable=True, connections=1)
    config = configuration()
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        connection.commit()
    engine.dispose()
