"""Since when nothing can be written and why, and from when on that is a reason to give no more answers."""

from __future__ import annotations

import time
from collections.abc import Callable

from cds_service.records import reasons

# Why nothing can be written, and for how many seconds that has been so; None once it can again.
Told = Callable[[str | None, float], None]
GRACE_S = 60.0


def to_nobody(cause: str | None, seconds: float) -> None:
    """For a record whose trouble nobody watches: a command's, a test's."""


class WriteTrouble:
    """The trouble of one writer, as its thread finds it; read by every other."""

    def __init__(self, told: Told, grace_s: float) -> None:
        self._told = told
        self._grace_s = grace_s
        self._begun: float | None = None
        self._cause = ""

    def found(self, error: Exception) -> None:
        """Writing failed."""
        now = time.monotonic()
        self._begun = now if self._begun is None else self._begun
        self._cause = reasons.reason(error)
        self._told(self._cause, now - self._begun)

    def over(self) -> None:
        """Writing went well."""
        if self._begun is not None:
            self._begun = None
            self._told(None, 0.0)

    def too_long(self) -> str | None:
        """Why, where it has been so for longer than may be; else None."""
        begun = self._begun
        if begun is None or (seconds := time.monotonic() - begun) < self._grace_s:
            return None
        return f"nothing could be written for {seconds:.0f} s: {self._cause}"
