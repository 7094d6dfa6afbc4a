"""PostgreSQL that does not answer: no statement and no connecting of ours waits longer than its time limit.

A server that hangs still takes connections and still acknowledges every packet, so only the client's own clock ends
the wait (tests/end_to_end/test_hung_database.py stops a real one). The server is told too, so that it does not go on
for nobody: at the beginning of each transaction, as a session's settings do not outlive it behind PgBouncer.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen, PQGenConn

from cds_service.records import time_limit

_LOOK_S = 0.1
# The server may say that it ended a statement before this side hangs up.
_EARLIER_S = 0.05
# https://www.postgresql.org/docs/16/libpq-connect.html: a network that swallows packets ends a connection too.
NETWORK = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


class BoundedConnection(psycopg.Connection[Any]):
    """A connection whose every wait ends; one that was waited for in vain is closed."""

    statement_s = time_limit.OF_A_SERVICE.statement_s
    durable = True

    def wait(self, gen: PQGen[Any], interval: float = _LOOK_S, timeout: float | None = None) -> Any:
        """As psycopg does it, within the time limit. Raises OperationalError, and the connection is closed then."""
        left = time_limit.left_s(self.statement_s)
        until = time.monotonic() + left
        try:
            return super().wait(gen, interval, left if timeout is None else min(left, timeout))
        except psycopg.OperationalError:
            if time.monotonic() >= until:
                self.pgconn.finish()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Any]:
        """psycopg waits for at least 2 s; it asks this generator every tenth of a second how things stand."""
        connecting = super()._connect_gen(conninfo)
        until = time.monotonic() + time_limit.left_s(NETWORK["connect_timeout"])
        try:
            place = next(connecting)
            while True:
                ready = yield place
                if time.monotonic() >= until:
                    raise psycopg.OperationalError("no connection in time")
                place = connecting.send(ready)
        except StopIteration as done:
            return done.value

    def _start_query(self) -> PQGen[None]:
        """Begin a transaction with its settings: in one message, as each costs a way to the server and back."""
        if self.autocommit or self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            return
        if self._pipeline:
            yield from super()._start_query()
            yield from self._exec_command(self._settings())
            return
        self.pgconn.send_query(b"BEGIN; " + self._settings())
        for result in (yield from generators.execute(self.pgconn)):
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result)

    def _settings(self) -> bytes:
        left_ms = int(1000 * max(_EARLIER_S, time_limit.left_s(self.statement_s) - _EARLIER_S))
        settings = [f"set_config('statement_timeout', '{left_ms}', true)"]
        if not self.durable:  # a commit is not waited for on the disk
            settings.append("set_config('synchronous_commit', 'off', true)")
        return f"SELECT {', '.join(settings)}".encode()


def connect(*arguments: Any, durable: bool, statement_s: float, **parameters: Any) -> BoundedConnection:
    """A connection of this durability and patience.

    It prepares no statement at the server: PgBouncer in transaction mode (before 1.21) gives the next transaction
    another session, which knows none, and no `options` either.
    """
    connection = BoundedConnection.connect(*arguments, prepare_threshold=None, **parameters)
    connection.durable, connection.statement_s = durable, statement_s
    return connection
