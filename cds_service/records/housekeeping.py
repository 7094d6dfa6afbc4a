"""What each worker does for the record in the background: forget what has expired."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from cds_service.records.database import DatabaseError

# A token id is of no use a minute after its token expired; until then it stays (DEC-04, J-13).
EVERY_S = 600.0
# A node whose clock is ahead would forget an id while its token is still good at another node.
CLOCKS_APART_S = 600.0
Forget = Callable[[float], int]


class Housekeeping:
    """One thread per worker; lives as long as it. A database that is away is asked again the next time."""

    def __init__(self, *forget: Forget, every_s: float = EVERY_S) -> None:
        self._forget = forget
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, without waiting for the next time."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            for forget in self._forget:
                with contextlib.suppress(DatabaseError):
                    forget(time.time() - CLOCKS_APART_S)
