"""Two counters of one worker that outlive its sudden death: evaluations taken, and of these written (or counted lost).

They lie in a memory-mapped file: what a killed process stored there stays. Whoever finds the file of a process
that no longer lives knows how many evaluations died with it.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

_FORM = struct.Struct("=QQ")
SUFFIX = ".ledger"


class Ledger:
    """One worker's counters; lives as long as it.

    `outlives`: whether somebody finds them after its sudden death; not where no file of them could be made.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{_started(os.getpid())}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._taken = self._settled = 0
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._path.write_bytes(_FORM.pack(0, 0))  # so the page is there, and no later write can miss it
            with self._path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), _FORM.size)
            self.outlives = True
        except OSError:
            self._path.unlink(missing_ok=True)
            self._memory = mmap.mmap(-1, _FORM.size)
            self.outlives = False

    def take(self) -> None:
        """Count an evaluation before it is put in the queue."""
        with self._lock:
            self._taken += 1
            self._memory[:] = _FORM.pack(self._taken, self._settled)

    def settle(self, count: int) -> None:
        """Count evaluations that were written, or whose loss was."""
        with self._lock:
            self._settled += count
            self._memory[:] = _FORM.pack(self._taken, self._settled)

    @property
    def open(self) -> int:
        """Evaluations taken and neither written nor counted as lost."""
        return self._taken - self._settled

    def close(self) -> None:
        """The worker ends in good order: nothing to be found later."""
        self._memory.close()
        if self.outlives:
            self._path.unlink(missing_ok=True)


def is_alive(path: Path) -> bool:
    """Whether the worker whose ledger this is still lives."""
    pid, started, _ = path.name.split("-", 2)
    return _started(int(pid)) == started


def lost_of(path: Path) -> int:
    """Evaluations that this ledger says were neither written nor counted as lost."""
    taken, settled = _FORM.unpack(path.read_bytes()[: _FORM.size])
    return int(taken - settled)


def lost_by_the_dead(folder: Path) -> Iterator[int]:
    """Evaluations lost by each worker that died, each told once: whoever removes the file counts it."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if is_alive(path):
            continue
        claimed = path.with_suffix(f".claimed-{os.getpid()}")
        try:
            path.rename(claimed)
        except FileNotFoundError:
            continue
        counted = False
        try:
            yield lost_of(claimed)
            counted = True
        finally:  # whoever could not count it leaves it to the next
            claimed.unlink() if counted else claimed.rename(path)


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; "gone" where it is no more. Tells a reused pid apart."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return "gone"
    return "gone" if fields[0] in ("Z", "X") else fields[19]
