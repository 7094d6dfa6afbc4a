"""The connections that came to one address: each address makes room among its own (http_worker.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cds_service.web.http_connection import Connection


class Pool:
    """The connections that came to one address; used by the worker's main loop alone."""

    def __init__(self, most: int, *, tells_only: bool = False) -> None:
        """`most`: how many there may be; `tells_only`: nothing is answered here but /livez and its neighbours."""
        self.most = most
        self.tells_only = tells_only
        self.open: set[Connection] = set()
        self.heads: dict[Connection, None] = {}  # in the order in which their time runs out
        self.lingering: dict[Connection, None] = {}  # answered for the last time: no longer among those that are open
        self.newest: Connection | None = None  # came in this turn, and is not the one that goes at its end
        self.wants_room = self.wants_file = False

    @property
    def is_full(self) -> bool:
        """Whether nobody else may come."""
        return len(self.open) >= self.most

    def first_to_go(self, idle: Any) -> Connection | None:
        """Of those who ask for nothing yet, or any more (`idle`), the one that is here the longest."""
        waiting = (conn for conn in self.heads if conn is not self.newest)
        return next(waiting, None) or next((conn for conn in idle if conn.pool is self), None)
