"""A record of many years: the forty weeks of the invented hospital again and again, each time of other people.

`python -m tests.benchmarks.large_record FOLDER COPIES [AT_ONCE]` makes it from an invented hospital of its own.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cds_service.demo_hospital import hospital, invented_people
from cds_service.demo_hospital.hospital import OUTCOMES, RECORD, TENANT
from cds_service.records import database, outcome_file, outcomes
from cds_service.records.outcomes import OutcomeChange
from models_onnx.outcome_horizons import outcome_horizons

_FEEDBACK = 1_000_000  # of one copy there are fewer
# By table what is our own id, which differs by copy in its end.
_IDS = {
    "evaluation": ("id",),
    "card": ("uuid", "evaluation_id"),
    "suggestion": ("uuid", "card_uuid"),
    "feedback": ("digest", "card_uuid"),
    "accepted_suggestion": ("suggestion_uuid",),
    "outcome": ("evaluation_id",),
}
_NUMBERS = {"feedback": "id", "accepted_suggestion": "feedback_id"}
_INSTANTS, _DAYS = ("received_at", "outcome_at"), ("occurred_on", "observed_through", "operated_on")


def invented(folder: Path, *, weeks: int = invented_people.WEEKS) -> Path:
    """The record of the invented hospital with its outcomes; made once."""
    if not (folder / RECORD).exists():
        hospital.build(folder, progress=lambda *_: None, until_week=weeks)
        engine = database.connect(f"sqlite:///{folder / RECORD}", durable=True, connections=1)
        content, now = (folder / OUTCOMES).read_bytes(), datetime.now(UTC)
        lines = outcome_file.outcome_lines(
            content, tenant_id=TENANT, known=outcome_horizons(), source="registry", today=now.date()
        )
        change = OutcomeChange(done_by="a benchmark", reason="its truth", at=now)
        outcomes.keep(engine, content, lines, tenant_id=TENANT, change=change)
        engine.dispose()
    return folder / RECORD


def repeated(record: Path, into: Path, *, copies: int, at_once: int = 1) -> date:
    """Write so many copies, so many of them beside each other in the same forty weeks; returns the day after all."""
    shutil.copyfile(record, into)
    weeks = invented_people.WEEKS
    with sqlite3.connect(into) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS first", (str(record),))
        for number in range(1, copies):
            for table in _IDS:
                _copy(connection, table, number, timedelta(weeks=weeks * (number // at_once)))
            connection.commit()
    connection.close()
    return invented_people.FIRST_DAY + timedelta(weeks=weeks * -(-copies // at_once))


def _copy(connection: sqlite3.Connection, table: str, number: int, later: timedelta) -> None:
    """The first copy's rows of one table once more."""
    rows = connection.execute(f"SELECT * FROM first.{table}")
    names = [one[0] for one in rows.description]
    changed: list[Callable[[object], object]] = [_changes(table, name, number, later) for name in names]
    places = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO {table} VALUES ({places})",
        ([change(value) for change, value in zip(changed, row, strict=True)] for row in rows),
    )


def _changes(table: str, name: str, number: int, later: timedelta) -> Callable[[object], object]:
    if name == "patient_id":
        return lambda value: f"{value}#{number}"
    if name in _IDS[table]:
        return lambda value: f"{str(value)[:-4]}#{number:03}"  # no digest ends so
    if name == _NUMBERS.get(table):
        return lambda value: int(str(value)) + number * _FEEDBACK
    if name in _INSTANTS:
        return lambda value: f"{datetime.fromisoformat(str(value)) + later:%Y-%m-%d %H:%M:%S.%f}"
    if name in _DAYS:
        return lambda value: None if value is None else str(date.fromisoformat(str(value)) + later)
    return lambda value: value


if __name__ == "__main__":
    _folder, _copies, *_beside = sys.argv[1:]
    _of = invented(Path(_folder) / "hospital")
    _at_once = int(_beside[0]) if _beside else 1
    _until = repeated(_of, Path(_folder) / "record.sqlite3", copies=int(_copies), at_once=_at_once)
    print(f"{_folder}/record.sqlite3, until {_until}")
