"""Which client tokens were used: one table for all workers and nodes, so that none is taken twice (J-13, R-G05)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.database import DatabaseError

# RETURNING, not rowcount: on PostgreSQL that is -1 after an insert (test_used_tokens.py on both databases).
_INSERTS = {
    "sqlite": sqlite.insert(tables.used_token).on_conflict_do_nothing().returning(tables.used_token.c.digest),
    "postgresql": postgresql.insert(tables.used_token).on_conflict_do_nothing().returning(tables.used_token.c.digest),
}


class UsedTokens:
    """Implements trust.client_jwt.UsedTokens on the database; ids are kept as digests until they expire."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Every call waits for this one row: a cursor of the pool's connection takes half of what Connection does.
        compiled = _INSERTS[engine.dialect.name].compile(dialect=engine.dialect)
        self._statement, self._positions = str(compiled), compiled.positiontup
        self._failures = (SQLAlchemyError, engine.dialect.loaded_dbapi.Error)

    def first_use(self, tenant_id: str, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:  # noqa: ARG002
        """Whether this is the first use. Raises DatabaseError where that cannot be known: then nobody is let in."""
        digest = hashlib.sha256("\x00".join((tenant_id, issuer, jti)).encode("utf-8", "surrogatepass")).hexdigest()
        try:
            return self._is_new({"digest": digest, "expires_at": int(expires_at) + 1})
        except self._failures as error:
            raise DatabaseError("used token ids cannot be looked up") from error

    def _is_new(self, row: dict[str, str | int]) -> bool:
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(self._statement, [row[name] for name in self._positions] if self._positions else row)
            found = cursor.fetchone()
            cursor.close()
            connection.commit()
        except self._failures as error:
            connection.invalidate(error)  # it may be a connection that the server has closed
            raise
        finally:
            connection.close()
        return found is not None

    def forget_expired(self, now: float) -> int:
        """Remove what has expired; returns how many. Raises DatabaseError where that cannot be done now."""
        expired = tables.used_token.c.expires_at < now
        try:
            with self._engine.begin() as connection:
                return connection.execute(delete(tables.used_token).where(expired)).rowcount
        except SQLAlchemyError as error:
            raise DatabaseError("used token ids cannot be removed") from error
