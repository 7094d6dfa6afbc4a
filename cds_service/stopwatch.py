"""How long each step of an answer took, and whether the service's own deadline has passed."""

from __future__ import annotations

import time

from cds_service.hooks.errors import DataUnobtainable


class Stopwatch:
    """Starts when it is made. `laps` holds milliseconds by step; `started` is on the monotonic clock."""

    def __init__(self) -> None:
        self.started = self._last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Note the time since the last step."""
        now = time.monotonic()
        self.laps[step] = round(1000 * (now - self._last), 3)
        self._last = now

    def check(self, deadline_s: float) -> None:
        """Too late is an error, never silence and never half an answer (DEC-02)."""
        if time.monotonic() - self.started > deadline_s:
            raise DataUnobtainable("The estimate could not be made in time.", diagnostics="deadline")
