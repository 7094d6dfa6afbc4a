"""Which client tokens were used: one table for all workers and nodes, so that none is taken twice (J-13, R-G05)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Engine, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from cds_service.records import tables
from cds_service.records.at_driver import AtDriver
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
        statement = _INSERTS[engine.dialect.name]
        self._insert = AtDriver(engine, statement, failed="used token ids cannot be looked up")

    def first_use(self, tenant_id: str, issuer: str, jti: str, *, expires_at: float, now: float) -> bool:  # noqa: ARG002
        """Whether this is the first use. Raises DatabaseError where that cannot be known: then nobody is let in."""
        digest = hashlib.sha256("\x00".join((tenant_id, issuer, jti)).encode("utf-8", "surrogatepass")).hexdigest()
        return self._insert.first(digest=digest, expires_at=int(expires_at) + 1) is not None

    def forget_expired(self, now: float) -> int:
        """Remove what has expired; returns how many. Raises DatabaseError where that cannot be done now."""
        expired = tables.used_token.c.expires_at < now
        try:
            with self._engine.begin() as connection:
                return connection.execute(delete(tables.used_token).where(expired)).rowcount
        except SQLAlchemyError as error:
            raise DatabaseError("used token ids cannot be removed") from error
