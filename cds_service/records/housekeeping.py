"""What each worker does for the record in the background: forget used token ids once they have expired (J-13)."""

from __future__ import annotations

import contextlib
import threading
import time

from cds_service.records.database import DatabaseError
from cds_service.records.used_tokens import UsedTokens

# A token id is of no use a minute after its token expired; until then it stays (DEC-04).
EVERY_S = 600.0
# A node whose clock is ahead would forget an id while its token is still good at another node.
CLOCKS_APART_S = 600.0


class Housekeeping:
    """One thread per worker; lives as long as it. A database that is away is asked again the next time."""

    def __init__(self, used_tokens: UsedTokens, *, every_s: float = EVERY_S) -> None:
        self._used_tokens = used_tokens
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
            with contextlib.suppress(DatabaseError):
                self._used_tokens.forget_expired(time.time() - CLOCKS_APART_S)
