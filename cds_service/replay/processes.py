"""Replay on one machine: some processes, memory for a part of the export, and what is done stays done.

A folder of work holds the export sorted by patient (split.py) and the rows of each bucket. Each file is written beside
its place and moved there whole: after a kill at any moment the same command goes on and ends with the same rows.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from pathlib import Path

import msgspec
from msgspec import Struct

from cds_service.replay import merged, opened, patient, split
from cds_service.replay.opened import NamedOpening
from cds_service.replay.patient import Setting
from cds_service.replay.worth import Sieve
from cds_service.trust import private_files
from fhir_mappings.report import bulk_files
from models_onnx import data_files

_DATA, _MEDICATIONS, _SORTED = "data", "medications.sqlite3", "sorted.json"
Progress = Callable[[str, int, int], None]


class OtherReplayError(Exception):
    """The folder of work belongs to a replay of other data, another tenant file or other models."""


class Done(Struct, frozen=True):
    """What came of a replay: how many rows, what was counted beside them, and the sha256 of the sorted rows."""

    rows: int
    sha256: str
    counts: dict[str, int]
    provided: tuple[str, ...]


class _Manifest(Struct, frozen=True):
    """The export is sorted: whose it is, into how many buckets, and what it holds."""

    digest: str
    buckets: int
    provided: tuple[str, ...]
    counts: dict[str, int]


_setting: list[Setting] = []  # of this process


def run(export: Path, out: Path, work: Path, named: NamedOpening, *, processes: int, progress: Progress) -> Done:
    """Write the rows of the export's orders to `out`, sorted; raises OtherReplayError for a folder of another replay.

    `progress` is told what is done, how much of it, and of how much.
    """
    for folder in (work, work / _DATA):
        private_files.folder(folder)
    digest = _digest(export, named)
    with _pool(processes, named) as pool:
        manifest = _sorted(export, work, digest, pool, progress)
        with_provided = frozenset(manifest.provided)
        names = [f"{number:05d}" for number in range(manifest.buckets)]
        todo = [name for name in names if not (work / f"rows.{name}").exists()]
        waiting = (pool.submit(_replayed, work, name, with_provided) for name in todo)
        for number, done in enumerate(_bounded(waiting, 4 * processes), start=len(names) - len(todo) + 1):
            done.result()
            progress("answered", number, len(names))
    counts = Counter(manifest.counts)
    files = [work / f"rows.{name}" for name in names]
    for file in files:
        counts.update(merged.counts_of(file))
    rows, sha256 = merged.write(files, out, work)
    return Done(rows, sha256, dict(sorted(counts.items())), manifest.provided)


def _pool(processes: int, named: NamedOpening) -> Executor:
    """Processes of their own birth: what a fork inherits of a running graph hangs."""
    spawned = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(processes, mp_context=spawned, initializer=_open, initargs=(named,))


def _open(named: NamedOpening) -> None:
    _setting.append(opened.setting(named, frozenset()))


def _digest(export: Path, named: NamedOpening) -> str:
    whole = hashlib.sha256(opened.digest(named, opened.setting(named, frozenset())).encode())
    for path in bulk_files.files(export):
        state = path.stat()
        whole.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def _sorted(export: Path, work: Path, digest: str, pool: Executor, progress: Progress) -> _Manifest:
    """The manifest of the folder, once the export is sorted into it; sorting begun and not ended begins anew."""
    path = work / _SORTED
    if path.exists():
        found = data_files.read_json(path, _Manifest)
        if found.digest != digest:
            raise OtherReplayError(f"{work} holds another replay: name another folder with --work")
        return found
    how_many = split.buckets(export)
    found_here = _split_all(export, work, how_many, pool, progress)
    if any(one.names_members for one in found_here):
        found_here = _split_all(export, work, how_many, pool, progress, all_results=True)
    provided = {kind for one in found_here for kind in one.types}
    counts = sum((Counter(one.counts) for one in found_here), Counter())
    if unread := bulk_files.unread_files(export):
        counts[f"{split.LOST} {bulk_files.CUT_OFF}"] += unread
    split.collect_medications(work / _DATA, work / _MEDICATIONS)
    manifest = _Manifest(digest, how_many, tuple(sorted(provided)), dict(counts))
    merged.put(path, [msgspec.json.encode(manifest)])
    return manifest


def _split_all(
    export: Path, work: Path, how_many: int, pool: Executor, progress: Progress, *, all_results: bool = False
) -> list[split.Sorted]:
    """What each part of the export holds, sorted into an empty folder; `all_results`: as Sieve has it."""
    shutil.rmtree(work / _DATA)
    private_files.folder(work / _DATA)
    parts = split.tasks(export)
    submitted = [pool.submit(_split, part, work / _DATA, how_many, all_results) for part in parts]
    found = []
    for number, done in enumerate(as_completed(submitted), start=1):
        found.append(done.result())
        progress("sorted", number, len(parts))
    return found


def _bounded(waiting: Iterator[Future[None]], at_most: int) -> Iterator[Future[None]]:
    """Each as it is done, with no more than some handed in at once."""
    running: set[Future[None]] = set()
    for one in waiting:
        running.add(one)
        if len(running) >= at_most:
            done = next(as_completed(running))
            running.discard(done)
            yield done
    yield from as_completed(running)


def _split(part: split.Task, data: Path, how_many: int, all_results: bool) -> split.Sorted:
    return split.sort(part, data, how_many, Sieve(_setting[-1].site, all_results=all_results))


def _replayed(work: Path, name: str, provided: frozenset[str]) -> None:
    """The rows of one bucket, sorted, below their counts; moved to their place whole."""
    using = msgspec.structs.replace(_setting[-1], provided=provided)
    rows: list[bytes] = []
    counts: Counter[str] = Counter()
    for person, resources in split.people(work / _DATA, name, work / _MEDICATIONS):
        found = patient.replay(person, resources, using)
        rows += found.rows
        counts.update(found.counts)
    merged.put(work / f"rows.{name}", [msgspec.json.encode(counts), *sorted(rows)])


def default_processes() -> int:
    """One for each processor that this process may use."""
    return len(os.sched_getaffinity(0))
