"""Sorted files of rows become one, whatever their number and size; and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from cds_service.trust import private_files

_AT_ONCE = 64  # files that are open together


def put(path: Path, lines: Iterable[bytes]) -> None:
    """Write the lines to a file that is there only when it is whole, also after a loss of power."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(beside, "wb", opener=private_files.opener) as file:
        for line in lines:
            file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def counts_of(path: Path) -> dict[str, int]:
    """The counts above the rows of a bucket."""
    with path.open("rb") as file:
        return msgspec.json.decode(file.readline(), type=dict[str, int])


def write(files: Sequence[Path], out: Path, work: Path) -> tuple[int, str]:
    """All rows of the buckets in one order; how many they are, and the sha256 of the file."""
    level, skipped = list(files), 1
    number = 0
    while len(level) > _AT_ONCE:
        groups = [level[at : at + _AT_ONCE] for at in range(0, len(level), _AT_ONCE)]
        level = []
        for group in groups:
            number += 1
            level.append(work / f"merge.{number}")
            put(level[-1], _in_order(group, skipped))
        skipped = 0
    whole, rows = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal rows
        for line in _in_order(level, skipped):
            rows += 1
            whole.update(line + b"\n")
            yield line

    put(out, counted())
    for path in work.glob("merge.*"):
        path.unlink()
    return rows, whole.hexdigest()


def _in_order(files: Sequence[Path], skipped: int) -> Iterator[bytes]:
    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(path.open("rb")) for path in files]
        lines = (islice(stream, skipped, None) for stream in streams)
        for line in heapq.merge(*lines):
            yield line.removesuffix(b"\n")
