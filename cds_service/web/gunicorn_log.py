"""gunicorn's log as ours: one JSON object per line, through the list of what may be written (operations/logs.py)."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]


class JsonLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's lines to the root logger in place of writing them as text."""

    def setup(self, cfg: Any) -> None:
        """As gunicorn, without its own handlers."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
