"""The mapping report of a Bulk Data export too large for one machine: the same counting, over Spark.

Needs the extra `spark` and Java. Nothing of the service imports this module (tests/test_architecture.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Raw

from fhir_mappings.report import bulk, bulk_files, mapping_counts, mapping_report
from fhir_mappings.report.bulk_files import BROKEN_LINE, OF_NOBODY, Head, Lost
from fhir_mappings.report.mapping_counts import Counts, MappingSite
from fhir_mappings.report.mapping_report import MappingReport

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame, SparkSession


def report(spark: SparkSession, path: str, site: MappingSite) -> MappingReport:
    """What the NDJSON files at `path` (a folder or a pattern, on any file system of Spark) would become."""
    return of_lines(spark.sparkContext.textFile(path), site)


def of_dataframe(frame: DataFrame, site: MappingSite, *, column: str = "value") -> MappingReport:
    """What a DataFrame with one resource as JSON text in each row would become."""
    return of_lines(frame.select(column).rdd.map(lambda row: row[0]), site)


def of_lines(lines: RDD[str], site: MappingSite) -> MappingReport:
    """What these resources, one as JSON text each, would become.

    Each patient's resources meet on one machine and are counted there; only counts travel on. Medications, which belong
    to nobody, are sent to every machine.
    """
    medications: dict[str, str] = {}
    lost: Lost = Counter()
    for named, counted in lines.mapPartitions(_of_nobody).collect():
        medications |= named
        lost.update(counted)
    owned = lines.mapPartitions(_owned).groupByKey()
    total = owned.mapPartitions(lambda people: _counted(people, medications, site)).fold(Counts(), Counts.add)
    total.lost.update(lost)
    return mapping_report.of_counts(total, site)


def _resources(lines: Iterable[str]) -> Iterator[tuple[Head | None, str]]:
    """Every resource with its head, those of a Bundle in one line too; None for what is none."""
    for line in lines:
        for raw in bulk_files.contained(Raw(line.encode())) if line.strip() else ():
            head = bulk_files.head_of(raw)
            yield (head if head and head.resource_type else None), bytes(raw).decode()


def _of_nobody(lines: Iterable[str]) -> Iterator[tuple[dict[str, str], Lost]]:
    """The Medications of a partition by their id, and what of it could not be read or names no patient."""
    medications: dict[str, str] = {}
    lost: Lost = Counter()
    for head, text in _resources(lines):
        if head is None:
            lost[(BROKEN_LINE,)] += 1
        elif head.resource_type == "Medication" and head.id:
            medications[head.id] = text
        elif kind := bulk.lost_type(head):
            lost[(OF_NOBODY, kind)] += 1
    yield medications, lost


def _owned(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for head, text in _resources(lines):
        if head is not None and (owner := bulk.owner_of(head)):
            yield owner, text


def _counted(
    people: Iterable[tuple[str, Iterable[str]]], medications: dict[str, str], site: MappingSite
) -> Iterator[Counts]:
    counts = Counts()
    for patient_id, lines in people:
        resources = [Raw(line.encode()) for line in lines]
        heads = [head for raw in resources if (head := bulk_files.head_of(raw)) is not None]
        named = dict.fromkeys(one for head in heads if (one := bulk.medication_of(head)))
        resources += [Raw(medications[one].encode()) for one in named if one in medications]
        mapping_counts.count(counts, mapping_counts.of_resources(patient_id, resources), site)
    yield counts
