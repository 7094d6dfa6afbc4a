"""By what the arbiter sees that a worker is there: the time of a file, which gunicorn keeps in a folder."""

from __future__ import annotations

import os
import time


class Heartbeat:
    """What gunicorn's WorkerTmp is, in the kernel's memory: it can be had where /dev/shm is full or read-only."""

    def __init__(self, _cfg: object) -> None:
        self._file = os.memfd_create("heartbeat")
        self.notify()

    def notify(self) -> None:
        """The worker is there."""
        now = time.monotonic()
        os.utime(self._file, (now, now))

    def last_update(self) -> float:
        """When it last said so, monotonic seconds."""
        return os.fstat(self._file).st_mtime

    def fileno(self) -> int:
        """For whoever passes it on."""
        return self._file

    def close(self) -> None:
        """Nobody looks any more."""
        os.close(self._file)
