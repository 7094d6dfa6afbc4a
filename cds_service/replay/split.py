"""An export sorted by patient into files that each fit in memory, whatever its size: one task for each part of a file.

A folder of work holds them: `data/<bucket>.<task>` for the resources, `medications.sqlite3` for what belongs to nobody.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from cds_service.replay.worth import DROPPED, Sieve, types
from cds_service.trust import private_files
from fhir_mappings.report import bulk, bulk_files
from fhir_mappings.report.bulk_files import BROKEN_LINE, Head, Lost

BUCKET_BYTES = 2 << 20
MOST_BUCKETS = 8192
CHUNK_BYTES = 32 << 20  # of a plain NDJSON file, for one task
_HELD_BYTES = 2 << 20  # of resources, until they are written to their buckets
_GZIPPED = 12  # times as large when it is not; of NDJSON from Synthea 10 to 20
# Of two that have one id the same is kept on every machine.
_KEPT = "insert into medication values (?, ?) on conflict (id) do update set text = max(text, excluded.text)"
OF_NOBODY, LOST = "of-nobody", "lost"


class Task(Struct, frozen=True):
    """A file, or of a plain NDJSON file the lines that begin from `start` to before `end`."""

    path: Path
    start: int = 0
    end: int | None = None


class Sorted(Struct, frozen=True):
    """What one task found: types, what was dropped or lost, counted, and whether any result may name others."""

    types: tuple[str, ...]
    counts: dict[str, int]
    names_members: bool = False


def buckets(export: Path) -> int:
    """How many there are of an export: the same on every machine, for rows do not depend on it."""
    sizes = (path.stat().st_size * (_GZIPPED if path.name.endswith(".gz") else 1) for path in bulk_files.files(export))
    return max(1, min(MOST_BUCKETS, -(-sum(sizes) // BUCKET_BYTES)))


def tasks(export: Path) -> list[Task]:
    """The export in parts that can be read side by side, the largest first."""
    found: list[Task] = []
    for path in bulk_files.files(export):
        size = path.stat().st_size
        if path.name.lower().endswith(".ndjson") and size > CHUNK_BYTES:
            found += [Task(path, at, min(size, at + CHUNK_BYTES)) for at in range(0, size, CHUNK_BYTES)]
        else:
            found.append(Task(path))
    return sorted(found, key=lambda one: -_size(one))


def _size(task: Task) -> int:
    whole = task.path.stat().st_size
    return task.end - task.start if task.end is not None else whole * (_GZIPPED if task.path.suffix == ".gz" else 1)


def sort(task: Task, folder: Path, how_many: int, sieve: Sieve) -> Sorted:
    """Write the task's resources to the buckets of their patients, and its Medications to a file of their own."""
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    lost: Lost = Counter()
    writer = _Writer(folder)
    names_members = False
    for head, raw in _resources(task, lost):
        seen.add(head.resource_type)
        names_members = names_members or bulk.names_members(head, raw)
        if not sieve.keeps(head, raw):
            counts[f"{DROPPED} {head.resource_type}"] += 1
        elif head.resource_type == "Medication" and head.id:
            writer.keep("medications", raw)
        elif owner := bulk.owner_of(head):
            writer.keep(bucket_name(owner, how_many), raw)
        elif bulk.lost_type(head):
            counts[f"{OF_NOBODY} {head.resource_type}"] += 1
    writer.flush()
    for keys, number in lost.items():
        counts[f"{LOST} {keys[0]}"] += number
    return Sorted(tuple(sorted(types(seen))), dict(counts), names_members)


def bucket_name(owner: str, how_many: int) -> str:
    """In which bucket a patient's resources lie."""
    return f"{zlib.crc32(owner.encode()) % how_many:05d}"


def _resources(task: Task, lost: Lost) -> Iterator[tuple[Head, Raw]]:
    if task.end is None:
        yield from bulk_files.resources(task.path, lost)
        return
    for line in _lines(task.path, task.start, task.end):
        for raw in bulk_files.contained(line):
            head = bulk_files.head_of(raw)
            if head is None or not head.resource_type:
                lost[(BROKEN_LINE,)] += 1
            else:
                yield head, raw


def _lines(path: Path, start: int, end: int) -> Iterator[Raw]:
    with path.open("rb") as stream:
        if start:
            stream.seek(start - 1)
            stream.readline(bulk_files.LARGEST)  # to the end of the line that the part before has read
        while stream.tell() < end and (line := stream.readline(bulk_files.LARGEST)):
            line = line.removeprefix(bulk_files.BYTE_ORDER_MARK)
            if line.strip():
                yield Raw(line)


class _Writer:
    """Holds a little in memory, then appends it to the files; each process writes files of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, list[bytes]] = defaultdict(list)
        self._bytes = 0

    def keep(self, name: str, raw: Raw) -> None:
        line = bytes(raw).strip()
        if b"\n" in line:
            line = msgspec.json.format(line, indent=-1)
        self._held[name].append(line + b"\n")
        self._bytes += len(line)
        if self._bytes > _HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        for name, lines in self._held.items():
            private_files.write_lines(self._folder / f"{name}.{os.getpid()}", lines, after=True)
        self._held.clear()
        self._bytes = 0


def collect_medications(data: Path, database: Path) -> None:
    """The Medications of every task in one table by id, so that none of them stays in memory."""
    database.unlink(missing_ok=True)
    private_files.write(database, b"")  # what SQLite makes has the umask's mode; what is there keeps its own
    with sqlite3.connect(database) as table:
        table.execute("create table medication (id text primary key, text blob) without rowid")
        for path in sorted(data.glob("medications.*")):
            with path.open("rb") as lines:
                rows = ((head.id, line.strip()) for line in lines if (head := bulk_files.head_of(line)) is not None)
                table.executemany(_KEPT, rows)
    table.close()


def people(data: Path, bucket: str, database: Path) -> Iterator[tuple[str, list[Raw]]]:
    """The patients of a bucket with all of their resources, and the Medications that these name."""
    found: dict[str, list[Raw]] = defaultdict(list)
    wanted: dict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(data.glob(f"{bucket}.*")):
        for line in path.read_bytes().split(b"\n"):
            head = bulk_files.head_of(line)
            if head is not None and (owner := bulk.owner_of(head)):
                found[owner].append(Raw(line))
                if named := bulk.medication_of(head):
                    wanted[owner][named] = None
    table = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for owner in sorted(found):
            yield owner, found.pop(owner) + _medications(table, wanted.get(owner, {}))
    finally:
        table.close()


def _medications(table: sqlite3.Connection, ids: Iterable[str]) -> list[Raw]:
    rows = (table.execute("select text from medication where id = ?", (one,)).fetchone() for one in ids)
    return [Raw(row[0].strip()) for row in rows if row is not None]
