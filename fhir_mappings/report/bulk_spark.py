"""The mapping report of a Bulk Data export too large for one machine: the same counting, over Spark.

Needs the extra `spark` and Java; Spark Connect will do. Nothing of the service imports this module
(tests/test_architecture.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Raw

from fhir_mappings.report import bulk_frames, mapping_counts, mapping_report
from fhir_mappings.report.bulk_files import Head
from fhir_mappings.report.bulk_frames import LOST, Counted
from fhir_mappings.report.mapping_counts import Counts, MappingSite
from fhir_mappings.report.mapping_report import MappingReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def report(spark: SparkSession, path: str, site: MappingSite) -> MappingReport:
    """What the NDJSON files at `path` (a folder or a pattern, on any file system of Spark) would become."""
    return of_dataframe(bulk_frames.lines(spark, path), site)


def of_dataframe(frame: DataFrame, site: MappingSite, *, column: str = "value") -> MappingReport:
    """What a DataFrame with one resource as JSON text in each row would become.

    Each patient's resources meet on one machine and are counted there; only counts travel on. Medications, which belong
    to nobody, are joined to the patients who name them.
    """
    entries = bulk_frames.entries(frame, column, lambda: _everything)
    people = bulk_frames.by_patient(entries)
    total = Counts()
    _put(total, bulk_frames.count_people(people, lambda patient_id, resources: _counted(patient_id, resources, site)))
    _put(total, (one for one in bulk_frames.counted(entries) if one[0] == LOST))
    return mapping_report.of_counts(total, site)


def _everything(_head: Head, _raw: Raw) -> bool:
    return True


def _counted(patient_id: str, resources: list[Raw], site: MappingSite) -> list[Counted]:
    counts = Counts()
    mapping_counts.count(counts, mapping_counts.of_resources(patient_id, resources), site)
    found: list[Counted] = []
    for section, value in vars(counts).items():
        pairs = value.items() if isinstance(value, Counter) else [((), value)] if value else []
        found += [(section, keys, number) for keys, number in pairs]
    return found


def _put(total: Counts, found: Iterable[Counted]) -> None:
    for section, keys, number in found:
        value = getattr(total, section)
        if isinstance(value, Counter):
            value[keys] += number
        else:
            setattr(total, section, value + number)
