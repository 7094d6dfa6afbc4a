"""Replay of an export too large for one machine, over Spark: the rows of the processes, byte for byte.

Needs the extra `spark` and Java; Spark Connect will do, for only DataFrames are used. What can change no row is dropped
before anything travels; each patient's resources meet in one group, in which the function of one patient is run.
Nothing of the service imports this module (tests/test_architecture.py).
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from cds_service.replay import opened, patient, worth
from cds_service.replay.opened import NamedOpening
from cds_service.replay.patient import Setting
from fhir_mappings.report import bulk_frames
from fhir_mappings.report.bulk_files import OF_NOBODY
from fhir_mappings.report.bulk_frames import LOST, MEMBERS, TYPE, Keeps

if TYPE_CHECKING:
    from pyarrow import Table
    from pyspark.sql import DataFrame, SparkSession

_SCHEMA = "kind string, text string, number bigint"
_ROW, _COUNT = "row", "count"


class Replay(Struct, frozen=True):
    """A replay that was told and not yet run: the DataFrame computes when it is written.

    `rows`: "kind", "text" and "number", kept once they are computed; see `lines` and `counts`. `beside`: what was lost
    or dropped, counted.
    """

    rows: DataFrame
    beside: dict[str, int]
    provided: tuple[str, ...]

    def lines(self) -> DataFrame:
        """The rows as "value", a line of JSON each, in their order: `.write.text(...)`, or collected where it fits."""
        return self.rows.filter(f"kind = '{_ROW}'").selectExpr("text as value").sort("value")

    def counts(self) -> dict[str, int]:
        """What was counted, as on one machine."""
        summed = self.rows.filter(f"kind = '{_COUNT}'").groupBy("text").agg({"number": "sum"}).collect()
        return dict(sorted((Counter({row[0]: row[1] for row in summed}) + Counter(self.beside)).items()))


def replay(spark: SparkSession, path: str, named: NamedOpening) -> Replay:
    """Of the NDJSON files at `path` (a folder or a pattern, on any file system of Spark).

    The files that `named` names have to lie at the same place on every machine, as this package has to.
    """
    return of_dataframe(bulk_frames.lines(spark, path), named)


def of_dataframe(frame: DataFrame, named: NamedOpening, *, column: str = "value") -> Replay:
    """Of a DataFrame with one resource as JSON text in each row, as `spark.read.parquet` gives it."""
    entries = bulk_frames.entries(frame, column, lambda: _keeps(named))
    counted = bulk_frames.counted(entries)
    if any(section == MEMBERS for section, _, _ in counted):  # then no result is dropped (worth.py)
        entries = bulk_frames.entries(frame, column, lambda: _keeps(named, all_results=True))
        counted = bulk_frames.counted(entries)
    provided = worth.types(keys[0] for section, keys, _ in counted if section == TYPE)
    beside = {_told(section, *keys): number for section, keys, number in counted if section not in (TYPE, MEMBERS)}

    def of_one(table: Table) -> Table:
        found = patient.replay(*bulk_frames.person_of(table), _setting(named, provided))
        rows: list[dict[str, Any]] = [{"kind": _ROW, "text": row.decode(), "number": None} for row in found.rows]
        rows += [{"kind": _COUNT, "text": name, "number": number} for name, number in found.counts.items()]
        return bulk_frames.table_of(rows, _SCHEMA)

    rows = bulk_frames.by_patient(entries).groupBy("owner").applyInArrow(of_one, _SCHEMA)
    return Replay(rows.persist(), beside, tuple(sorted(provided)))


def _told(section: str, what: str, kind: str = "") -> str:
    """The name of a count, as the processes have it (split.py)."""
    if section == LOST and what == OF_NOBODY:
        return f"{OF_NOBODY} {kind}"
    return f"{section} {what}"


def _keeps(named: NamedOpening, *, all_results: bool = False) -> Keeps:
    return _sieve(named, all_results).keeps


@lru_cache(maxsize=2)
def _sieve(named: NamedOpening, all_results: bool) -> worth.Sieve:
    return worth.Sieve(_setting(named, frozenset()).site, all_results=all_results)


@lru_cache(maxsize=2)
def _setting(named: NamedOpening, provided: frozenset[str]) -> Setting:
    """Opened once in each Python process of Spark."""
    return opened.setting(named, provided)
