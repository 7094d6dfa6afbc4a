"""A statement that every call waits for, given to the database's driver as it is.

A cursor of the pool's connection takes half of what SQLAlchemy's Connection does (docs/performance.md). Only for
parameters and columns that are texts and whole numbers: nothing here is converted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records.database import DatabaseError


class AtDriver:
    """One statement on one database, compiled once; lives as long as the worker."""

    def __init__(self, engine: Engine, statement: Executable, *, failed: str) -> None:
        """`failed`: what is told where it could not be carried out."""
        compiled = statement.compile(dialect=engine.dialect)  # type: ignore[attr-defined]
        self._engine, self._failed = engine, failed
        self._text, self._positions, self._own = str(compiled), compiled.positiontup, dict(compiled.params)
        self._failures = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error)

    def first(self, **given: str | int) -> Any:
        """The first column of the first row, or None; what was changed is committed. Raises DatabaseError."""
        named = {**self._own, **given}
        try:
            return self._first([named[name] for name in self._positions] if self._positions else named)
        except self._failures as error:
            raise DatabaseError(self._failed) from error

    def _first(self, parameters: list[Any] | dict[str, Any]) -> Any:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self._text, parameters)
            row = cursor.fetchone()
            cursor.close()
            connection.commit()
        except self._failures as error:
            self._lose(connection, error)
            raise
        finally:
            connection.close()
        return None if row is None else row[0]

    def _lose(self, connection: Any, error: Any) -> None:
        """Give the connection up; where the server has closed it, the others of the pool too, as SQLAlchemy does."""
        engine, dialect = self._engine, self._engine.dialect
        of_driver = isinstance(error, dialect.loaded_dbapi.Error)
        gone = of_driver and dialect.is_disconnect(error, connection.driver_connection, None)
        connection.invalidate(error)
        if gone:
            engine.dispose(close=False)
