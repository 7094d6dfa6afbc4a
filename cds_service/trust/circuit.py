"""When a server is not asked any more: after repeated failures answers come at once, and a probe finds it again."""

from __future__ import annotations

import threading

# Two or three patients whose every search failed: one slow search among good ones never gets there.
FAILURES = 20
PAUSE_S = 5.0


class Circuit:
    """Counts one server's failures in a row; open from the FAILURES-th on, with one call let through every PAUSE_S."""

    def __init__(self) -> None:
        self._failures = 0
        self._probe_at: float | None = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether calls are refused at once."""
        return self._probe_at is not None

    def admits(self, now: float) -> bool:
        """Whether a call may be made; of an open circuit the one that may is the probe. `now`: monotonic seconds."""
        if self._probe_at is None:
            return True
        with self._lock:
            if self._probe_at is not None and now < self._probe_at:
                return False
            self._probe_at = now + PAUSE_S
            return True

    def succeeded(self) -> None:
        """The server answered, whatever it said."""
        if self._failures:
            with self._lock:
                self._failures, self._probe_at = 0, None

    def failed(self, now: float) -> None:
        """The server did not answer, or not within what the call allowed."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._probe_at = now + PAUSE_S
