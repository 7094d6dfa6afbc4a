"""Trouble of the record, for people: a line in the log when it begins, every minute and when it is over; a metric."""

from __future__ import annotations

from cds_service.operations import logs, metrics

AGAIN_S = 60.0


class RecordWatch:
    """Told by the record's writer of every attempt that failed, and of the first that did not; lives as long as it."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def __call__(self, cause: str | None, seconds: float) -> None:
        """`cause`: why nothing can be written, for so many seconds now; None: it can again."""
        metrics.record_unwritten_seconds.set(seconds)
        if cause is None:
            self._next_s = 0.0
            logs.note("record-written-again")
        elif seconds >= self._next_s:
            self._next_s = seconds + AGAIN_S
            logs.warn("record-unwritten", cause=logs.OwnWords(cause), seconds=round(seconds))
