"""The files in which workers count together, bounded: none has a byte that may be missing, and the dead keep one.

prometheus_client makes its files with holes. Where the file system is full, the first write into a hole ends the
process with SIGBUS, and the arbiter with its last worker (tests/end_to_end/test_small_state.py).
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

FIRST_BYTES = 64 * 1024
MOST_BYTES = 16 * 1024 * 1024
# Length, padding and the two numbers beside an entry's name.
_BESIDE_NAME = 32
_OF_THE_DEAD = "dead"
_ALONE: set[str] = set()


class MetricFile(MmapedDict):
    """A file that has all of its bytes from the beginning; where there are none, memory of this process alone."""

    _m: mmap.mmap
    _f: Any

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        try:
            if not read_mode:
                _allocate(filename, FIRST_BYTES)
            super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]
        except OSError:
            Path(filename).unlink(missing_ok=True)
            self._f, self._fname = None, filename
            self._m, self._capacity = mmap.mmap(-1, FIRST_BYTES), FIRST_BYTES
            self._positions: dict[str, int] = {}
            self._used = 8
            self._m[:4] = self._used.to_bytes(4, "little")
            _ALONE.add(filename)

    @property
    def is_alone(self) -> bool:
        """Whether what is counted now is seen by nobody else."""
        return self._f is None

    def _init_value(self, key: str) -> None:
        """A new count, for which the file may have to grow."""
        while self._used + len(key.encode()) + _BESIDE_NAME > self._capacity:
            self._grow(2 * self._capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self, size: int) -> None:
        if self._f is not None:
            try:
                if size > MOST_BYTES:
                    raise OSError("no metric needs so many series")
                os.posix_fallocate(self._f.fileno(), 0, size)
                self._m, self._capacity = mmap.mmap(self._f.fileno(), size), size
                return
            except OSError:
                self._f = None  # what it held stays in the file, for the others to read
                _ALONE.add(str(self._fname))
        alone = mmap.mmap(-1, size)
        alone[: self._used] = self._m[: self._used]
        self._m, self._capacity = alone, size


vars(values)[MmapedDict.__name__] = MetricFile  # what prometheus_client opens for each process


def trouble() -> str | None:
    """Why not everything that this worker counts is seen in /metrics; None where it is."""
    return "counts of this worker are kept in its own memory: no file had room for them" if _ALONE else None


@contextmanager
def held(folder: Path, *, alone: bool) -> Iterator[None]:
    """While nobody moves the counts of the dead; `alone`: to move them."""
    try:
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # read-only, and so nothing moves
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def bury(folder: Path, pid: int) -> None:
    """Add what a worker that ended had counted to what all the dead have: a worker that ends again and again leaves

    one file of each kind, and not one for each of its lives.
    """
    with held(folder, alone=True):
        for path in folder.glob(f"*_{pid}.db"):
            kind = path.name.removesuffix(f"_{pid}.db")
            together = MetricFile(str(folder / f"{kind}_{_OF_THE_DEAD}.db"))
            if together.is_alone:  # no room: the dead keep theirs
                return
            for key, value, written_at, _ in MetricFile.read_all_values_from_file(str(path)):  # type: ignore[no-untyped-call]
                before, _ = together.read_value(key)  # type: ignore[no-untyped-call]
                both = max(before, value) if kind.startswith("gauge") else before + value
                together.write_value(key, both, written_at)  # type: ignore[no-untyped-call]
            together.close()  # type: ignore[no-untyped-call]
            path.unlink()


def _allocate(filename: str, least: int) -> None:
    file = os.open(filename, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(file, 0, max(least, os.fstat(file).st_size))
    finally:
        os.close(file)
