"""An export as Spark DataFrames: its lines become entries, and those of each patient meet in one group.

Only DataFrames and Arrow are used, so that Spark Connect will do. What is counted travels as numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from fhir_mappings.report import bulk, bulk_files
from fhir_mappings.report.bulk_files import BROKEN_LINE, OF_NOBODY, Head

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Table
    from pyspark.sql import DataFrame, SparkSession

Keeps = Callable[[Head, Raw], bool]
Keys = tuple[str, ...]
Counted = tuple[str, Keys, int]  # what is counted, of what, how often
LOST, DROPPED, TYPE, MEMBERS = "lost", "dropped", "type", "members"
_ENTRIES = "kind string, owner string, name string, text string, number bigint"
_COUNTED = "section string, name string, number bigint"
_OWNED, _NEEDED, _MEDICATION, _COUNT = "owned", "needed", "medication", "count"
_Entry = dict[str, Any]


def lines(spark: SparkSession, path: str) -> DataFrame:
    """The lines of the NDJSON files at `path` (a folder or a pattern, on any file system of Spark), as "value"."""
    return spark.read.option("lineSep", "\n").option("recursiveFileLookup", "true").text(path)


def entries(frame: DataFrame, column: str, keeps: Callable[[], Keeps]) -> DataFrame:
    """The resources of JSON texts with whose they are, and counts. `keeps` is made on each machine: what is no use

    is dropped there, before anything travels.
    """

    def taken(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        keep = keeps()
        for batch in batches:
            yield _batch(_of_lines(batch.column(0).to_pylist(), keep), _ENTRIES)

    return frame.select(column).mapInArrow(taken, _ENTRIES)


def counted(found: DataFrame) -> list[Counted]:
    """What was counted on the way: ("lost", what), ("dropped", type), and ("type", type) of all that came; ("members",)

    of results that may name others.
    """
    summed = found.filter(f"kind = '{_COUNT}'").groupBy("owner", "name").agg({"number": "sum"}).collect()
    return [(row[0], tuple(msgspec.json.decode(row[1], type=list[str])), row[2]) for row in summed]


def by_patient(found: DataFrame) -> DataFrame:
    """(owner, text): every patient's resources, and the Medications that these name."""
    owned = found.filter(f"kind = '{_OWNED}'").select("owner", "text")
    needed = found.filter(f"kind = '{_NEEDED}'").select("owner", "name").distinct()
    texts = found.filter(f"kind = '{_MEDICATION}'").groupBy("name").agg({"text": "max"})
    named = needed.join(texts.withColumnRenamed("max(text)", "text"), "name").select("owner", "text")
    return owned.unionByName(named)


def count_people(people: DataFrame, count: Callable[[str, list[Raw]], Iterable[Counted]]) -> list[Counted]:
    """What `count` says of each patient, summed; only numbers reach this machine."""

    def of_one(table: Table) -> Table:
        said = count(*person_of(table))
        return table_of([_counted_row(*one) for one in said], _COUNTED)

    summed = people.groupBy("owner").applyInArrow(of_one, _COUNTED).groupBy("section", "name").agg({"number": "sum"})
    return [(row[0], tuple(msgspec.json.decode(row[1], type=list[str])), row[2]) for row in summed.collect()]


def person_of(table: Table) -> tuple[str, list[Raw]]:
    """The patient of a group, and the resources."""
    return table.column("owner")[0].as_py(), [Raw(text.encode()) for text in table.column("text").to_pylist()]


def table_of(rows: list[dict[str, Any]], schema: str) -> Table:
    """Rows as Arrow has them."""
    import pyarrow  # noqa: PLC0415 — of the extra `spark`

    return pyarrow.Table.from_batches([_batch(rows, schema)])


def _counted_row(section: str, keys: Keys, number: int) -> dict[str, Any]:
    return {"section": section, "name": msgspec.json.encode(keys).decode(), "number": number}


def _batch(rows: Iterable[Mapping[str, Any]], schema: str) -> RecordBatch:
    import pyarrow  # noqa: PLC0415 — of the extra `spark`

    kinds = {"string": pyarrow.string(), "bigint": pyarrow.int64()}
    fields = [pyarrow.field(name, kinds[kind]) for name, kind in (one.split() for one in schema.split(", "))]
    return pyarrow.RecordBatch.from_pylist(list(rows), schema=pyarrow.schema(fields))


def _of_lines(texts: Iterable[str | None], keep: Keeps) -> Iterator[_Entry]:
    counts: Counter[tuple[str, Keys]] = Counter()
    for head, raw in _resources(texts):
        if head is None:
            counts[LOST, (BROKEN_LINE,)] += 1
            continue
        counts[TYPE, (head.resource_type,)] += 1
        if bulk.names_members(head, raw):
            counts[MEMBERS, ()] += 1
        if not keep(head, raw):
            counts[DROPPED, (head.resource_type,)] += 1
        elif head.resource_type == "Medication" and head.id:
            yield _entry(_MEDICATION, None, head.id, raw)
        elif owner := bulk.owner_of(head):
            yield _entry(_OWNED, owner, None, raw)
            if named := bulk.medication_of(head):
                yield _entry(_NEEDED, owner, named, None)
        elif kind := bulk.lost_type(head):
            counts[LOST, (OF_NOBODY, kind)] += 1
    for (section, keys), number in counts.items():
        name = msgspec.json.encode(keys).decode()
        yield {"kind": _COUNT, "owner": section, "name": name, "text": None, "number": number}


def _entry(kind: str, owner: str | None, name: str | None, raw: Raw | None) -> _Entry:
    text = bytes(raw).decode().strip() if raw is not None else None
    return {"kind": kind, "owner": owner, "name": name, "text": text, "number": None}


def _resources(texts: Iterable[str | None]) -> Iterator[tuple[Head | None, Raw]]:
    """Every resource with its head, those of a Bundle in one line too; None for what is none."""
    for text in texts:
        line = (text or "").removeprefix("\ufeff")
        for raw in bulk_files.contained(Raw(line.encode())) if line.strip() else ():
            head = bulk_files.head_of(raw)
            yield (head if head and head.resource_type else None), raw
