"""How many calls each tenant may still send, counted once for all workers and nodes: a bucket each (R-G18)."""

from __future__ import annotations

import contextlib
import time

from sqlalchemy import Engine, Float, Integer, bindparam, case, cast, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from cds_service.records import tables

_BUCKET = tables.allowance
_FULL = bindparam("burst", type_=Float)


class Allowances:
    """Implements trust.throttle.Allowances on the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # One clock for all nodes: the server's. SQLite's is that of its only machine.
        server = engine.dialect.name == "postgresql"
        now: ColumnElement[float] = (
            cast(func.extract("epoch", func.clock_timestamp()), Float) if server else bindparam("now", type_=Float)
        )
        gained = case((_BUCKET.c.filled_at < now, now - _BUCKET.c.filled_at), else_=0.0) * bindparam("rate")
        there = _BUCKET.c.tokens + gained
        there = case((there > _FULL, _FULL), else_=there)
        wanted = bindparam("wanted", type_=Float)
        # Whole calls only; what is left of one stays in the bucket.
        whole = func.floor(there) if server else cast(cast(there, Integer), Float)
        given = case((whole < wanted, whole), else_=wanted)
        self._take = (
            update(_BUCKET)
            .where(_BUCKET.c.tenant_id == bindparam("tenant"))
            .values(tokens=there - given, filled_at=now, given=given)
            .returning(_BUCKET.c.given, _BUCKET.c.tokens)
        )
        self._begin = insert(_BUCKET).from_select(
            ["tenant_id", "tokens", "filled_at", "given"],
            select(bindparam("tenant"), _FULL, now, literal(0.0)),
        )

    def take(self, tenant_id: str, *, wanted: int, rate: float, burst: int) -> tuple[int, float] | None:
        """So many of the calls wanted as may come now, and what is left in the bucket; None where that is not known."""
        values: dict[str, str | float] = {
            "tenant": tenant_id,
            "wanted": wanted,
            "rate": rate,
            "burst": burst,
            "now": time.time(),
        }
        try:
            return self._taken(values) or self._begun(values)
        except SQLAlchemyError:
            return None

    def _taken(self, values: dict[str, str | float]) -> tuple[int, float] | None:
        with self._engine.begin() as connection:
            found = connection.execute(self._take, values).first()
        return None if found is None else (int(found.given), float(found.tokens))

    def _begun(self, values: dict[str, str | float]) -> tuple[int, float] | None:
        """The tenant's first call of all: whoever makes its bucket, all take from it."""
        with contextlib.suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(self._begin, values)
        return self._taken(values)
