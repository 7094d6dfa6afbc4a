"""How long each step of an answer took, and whether the service's own deadline has passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from cds_service.trust.errors import DataUnobtainable


class Stopwatch:
    """Starts when it is made, or started at `since` of the monotonic clock, from where the deadline counts.

    `laps` holds milliseconds by step; `started` is on the monotonic clock.

    `told`: who else hears of each step, its start and its end in seconds of that clock (operations/traces.py).
    """

    told: ClassVar[Callable[[str, float, float], None] | None] = None

    def __init__(self, since: float | None = None) -> None:
        self._last = time.monotonic_ns()
        self.started = self._last / 1e9 if since is None else since
        self.laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Note the time since the last step."""
        now = time.monotonic_ns()
        self.laps[step] = (now - self._last) // 1000 / 1000
        if Stopwatch.told is not None:
            Stopwatch.told(step, self._last / 1e9, now / 1e9)
        self._last = now

    def check(self, deadline_s: float) -> None:
        """Too late is an error, never silence and never half an answer (DEC-02)."""
        if time.monotonic() - self.started > deadline_s:
            raise DataUnobtainable("The estimate could not be made in time.", diagnostics="deadline")
