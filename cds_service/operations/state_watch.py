"""Looks after the state directory while a worker lives: what is left there, and a line in the log on a change."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

from cds_service.operations import logs, metrics, state
from cds_service.operations.readiness import Trouble

LOOK_S = 30.0


class StateWatch:
    """One thread per worker; lives as long as it."""

    def __init__(self, folder: Path, parts: Mapping[str, Trouble]) -> None:
        """`parts`: what is kept in the folder, and what is wrong with it."""
        self._folder = folder
        self._parts = parts
        self._told: dict[str, str | None] = dict.fromkeys(parts)
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin to look, now and every LOOK_S seconds."""
        threading.Thread(target=self._run, name="state", daemon=True).start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()

    def look(self) -> None:
        """Tell how things stand."""
        with contextlib.suppress(OSError):
            metrics.state_free_bytes.set(state.free_bytes(self._folder))
        for name, trouble in self._parts.items():
            why = trouble()
            if why is not None and self._told[name] is None:
                logs.warn("state-degraded", cause=logs.OwnWords(why))
            elif why is None and self._told[name] is not None:
                logs.note("state-whole-again", reason=name)
            self._told[name] = why

    def _run(self) -> None:
        while True:
            self.look()
            if self._ended.wait(LOOK_S):
                return
