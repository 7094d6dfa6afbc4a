"""The files of an export: every resource in them, one by one, and the count of what is none or cannot be read."""

from __future__ import annotations

import gzip
import itertools
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON
from fhir_mappings.fhir.elements import Reference

# NDJSON, and Bundles or single resources as JSON.
SUFFIXES = (".ndjson", ".ndjson.gz", ".json", ".json.gz")
# What is in memory at once: a line, or a Bundle written over many lines. More of one piece is not read.
LARGEST = 1 << 28
_NOT_READ_TO_THE_END = (OSError, EOFError, zlib.error)
# What stands beside data and is none: checksums and signatures.
_BESIDE_DATA = (".sha1", ".sha256", ".sha512", ".md5", ".crc", ".asc", ".sig")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# What could not be read, by its kind and for some the resource type: counted, never silently passed over.
Lost = Counter[tuple[str, ...]]
BROKEN_LINE, CUT_OFF, NO_FHIR, OTHER_FILE = "broken-line", "cut-off-file", "file-without-fhir", "other-file"
OF_NOBODY, NO_PATIENT = "of-nobody", "person-without-patient"
# Data are missing that the export was meant to have.
BROKEN = frozenset({BROKEN_LINE, CUT_OFF, NO_FHIR})


class _Participant(Struct):
    """Who takes part in an Appointment, which has no subject."""

    actor: Reference | None = None


class Head(Struct, rename="camel"):
    """Whose resource it is, and of which type."""

    resource_type: str = ""
    id: str | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    medication_reference: Reference | None = None
    participant: tuple[_Participant, ...] = ()


class _ExportEntry(Struct):
    resource: Raw = Raw(b"null")


class _ExportBundle(Struct):
    entry: tuple[_ExportEntry, ...] = ()


_heads = msgspec.json.Decoder(Head)


def head_of(raw: Raw | bytes) -> Head | None:
    """What is needed to sort a resource; None for what is no JSON."""
    try:
        return _heads.decode(raw)
    except UNREADABLE_JSON:
        return None


class _Folder(Struct, frozen=True):
    """What stands in a folder and those in it: files of FHIR, data that cannot be read, and what is neither."""

    fhir: tuple[Path, ...]
    unread: tuple[Path, ...]
    others: tuple[Path, ...]


def files(export: Path) -> list[Path]:
    """The files of FHIR in a folder and the folders in it, in the order of their names; or the one file itself."""
    return list(_folder(export).fhir)


def unread_files(export: Path) -> int:
    """How many files or folders hold data, by their names, that cannot be read."""
    return len(_folder(export).unread)


def _folder(export: Path) -> _Folder:
    """A folder behind a link is read as well, and once."""
    if export.is_file():
        return _Folder((export,), (), ())
    found: list[Path] = []
    closed: list[Path] = []
    seen: set[str] = set()

    def not_listed(error: OSError) -> None:
        closed.append(Path(error.filename))

    for folder, inner, names in os.walk(export, followlinks=True, onerror=not_listed):
        if (real := os.path.realpath(folder)) in seen:
            inner.clear()
            continue
        seen.add(real)
        found += [Path(folder) / name for name in names]
    fhir = [path for path in found if path.name.lower().endswith(SUFFIXES) and path.is_file()]
    rest = set(found) - set(fhir)
    unread = [path for path in rest if _holds_data(path)]
    return _Folder(tuple(sorted(fhir)), tuple(sorted(unread + closed)), tuple(sorted(rest - set(unread))))


def _holds_data(path: Path) -> bool:
    """Whether it is named as data, and packed otherwise, half downloaded, or a link to nothing."""
    name = path.name.lower()
    return any(f"{one}." in f"{name}." for one in (".ndjson", ".json")) and not name.endswith(_BESIDE_DATA)


def first_places(export: Path, most: int = 20) -> str:
    """Where an export is broken, in lines of words; the first of them."""
    found = list(itertools.islice(places(export), most + 1))
    return "".join(f"\n{one}" for one in [*found[:most], *(["and more"] if len(found) > most else [])])


def places(export: Path) -> Iterator[str]:
    """Where an export is broken: each file, and of NDJSON the line, in words."""
    folder = _folder(export)
    for path in sorted((*folder.fhir, *folder.unread)):
        if path in folder.unread:
            yield f"{path}: not read: half downloaded, packed (gzip alone is), closed, or a link to nothing"
            continue
        try:
            yield from _faults_in(path)
        except _NOT_READ_TO_THE_END:
            yield f"{path}: cannot be read to its end: export it again"


def _faults_in(path: Path) -> Iterator[str]:
    with _opened(path) as stream:
        if ".ndjson" not in path.name.lower() or head_of(next(_lines(stream), Raw(b"{}"))) is None:
            stream.seek(0)
            text = stream.read(LARGEST).removeprefix(BYTE_ORDER_MARK)
            if not text.strip() or _is_json(text):
                return
            if ".ndjson" not in path.name.lower():
                yield f"{path}: no whole document of JSON: export it again"
                return
        stream.seek(0)
        for number, line in enumerate(iter(lambda: stream.readline(LARGEST), b""), start=1):
            text = line.removeprefix(BYTE_ORDER_MARK)
            if text.strip() and any(
                (head := head_of(one)) is None or not head.resource_type for one in contained(Raw(text))
            ):
                yield f"{path}:{number}: no FHIR resource: export it again"


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=Raw)
    except UNREADABLE_JSON:
        return False
    return True


def resources(export: Path, lost: Lost) -> Iterator[tuple[Head, Raw]]:
    """Every resource of the export with its head, those of a Bundle one by one; what is none is counted in `lost`."""
    folder = _folder(export)
    if folder.others:
        lost[(OTHER_FILE,)] += len(folder.others)
    if folder.unread:
        lost[(CUT_OFF,)] += len(folder.unread)
    for path in folder.fhir:
        broken = found = 0
        for raw in (one for document in _documents(path, lost) for one in contained(document)):
            head = head_of(raw)
            if head is None or not head.resource_type:
                broken += 1
            else:
                found += 1
                yield head, raw
        if broken and not found and ".ndjson" not in path.name.lower() and _is_whole(path):
            lost[(OTHER_FILE,)] += 1  # a manifest, a map: JSON, and not meant as FHIR data
        elif broken:
            lost.update({(BROKEN_LINE,): broken} if found else {(BROKEN_LINE,): broken, (NO_FHIR,): 1})


def _is_whole(path: Path) -> bool:
    try:
        with _opened(path) as stream:
            return _is_json(stream.read(LARGEST).removeprefix(BYTE_ORDER_MARK))
    except _NOT_READ_TO_THE_END:
        return False


def lines_of(path: Path) -> Iterator[Raw]:
    """Every line of one file that is not empty, plain or gzipped; one that is longer than LARGEST as an empty one."""
    with _opened(path) as stream:
        yield from _lines(stream)


def contained(line: Raw) -> Iterable[Raw]:
    """The resources of a Bundle; anything else as it is."""
    if b'"Bundle"' not in bytes(line):
        return (line,)
    head = head_of(line)
    if head is None or head.resource_type != "Bundle":
        return (line,)
    try:
        return tuple(one.resource for one in msgspec.json.decode(line, type=_ExportBundle).entry)
    except UNREADABLE_JSON:
        return (Raw(b""),)  # counted as unreadable


def _documents(path: Path, lost: Lost) -> Iterator[Raw]:
    """Each line of the file, or the file as one document where it is one, written over many lines."""
    try:
        with _opened(path) as stream:
            lines = _lines(stream)
            first = next(lines, None)
            if first is None:
                return
            if head_of(first) is not None:
                yield first
            else:
                yield from _of_one_piece(bytes(first) + stream.read(LARGEST))
            yield from lines
    except _NOT_READ_TO_THE_END:
        lost[(CUT_OFF,)] += 1


def _of_one_piece(text: bytes) -> Iterable[Raw]:
    """The text if it is one document, else its lines."""
    if head_of(text) is not None:
        return (Raw(text),)
    return (Raw(line) for line in text.splitlines() if line.strip())


def _lines(stream: IO[bytes]) -> Iterator[Raw]:
    first = stream.readline(LARGEST).removeprefix(BYTE_ORDER_MARK)
    while line := first or stream.readline(LARGEST):
        first = b""
        if len(line) == LARGEST and not line.endswith(b"\n"):
            while (more := stream.readline(LARGEST)) and not more.endswith(b"\n"):
                pass
            yield Raw(b"")
        elif line.strip():
            yield Raw(line)


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]
