"""How many operating rooms this machine carries: `python -m tests.simulations.rooms_table [SECONDS [ROOMS ...]]`."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import sqlalchemy

from cds_service.records import database
from tests.cds_service.records import postgres
from tests.simulations import rooms, rooms_service
from tests.simulations.document import ROOT, table
from tests.simulations.rooms import SIGNALS, Measured, percentile

PAGE = ROOT / "docs/during.md"
NAME = "rooms"
# The operations have run for so long when the measuring begins: a page of ten minutes costs more than one of a minute.
PAST = 540
HEAD = (
    "rooms, record", "s", "values acknowledged, lost", "post p50, p99", "value to page p50, p99", "to the screen",
    "page p50, p99", "behind, late, failed of pages", "order p50, p99: alone; beside; once a worker was killed",
    "memory MB before, after", "cores used",
    "load of the machine",
)  # fmt: skip


def lost(at: rooms_service.Service, every: int, seconds: int, unsent: int) -> int:
    """Values of every room and second that are not in the record."""
    engine = sqlalchemy.create_engine(database.normal(at.database))
    with engine.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM during_entry WHERE kind = 'observation'").scalars()
        kept = {msgspec.json.decode(body)["id"] for body in bodies}
    engine.dispose()
    sent = {
        f"room-{room}-{second}-{code}" for room in range(every) for second in range(seconds) for code, *_ in SIGNALS
    }
    return len(sent - kept) - unsent * len(SIGNALS)


@contextlib.contextmanager
def records() -> Iterator[dict[str, str]]:
    """By name the URL of an empty database; PostgreSQL where it is installed."""
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        found = {"SQLite": f"sqlite:///{folder}/record.sqlite3"}
        if postgres.programs() is not None:
            found["PostgreSQL"] = opened.enter_context(postgres.database(opened.enter_context(postgres.server())))
        yield found


def measured(
    count: int, seconds: int, name: str, *, past: int = 0, alone_s: float = 5.0, apart: bool = False
) -> Measured:
    """One run with a record of its own."""
    with records() as urls, tempfile.TemporaryDirectory() as folder:
        with rooms_service.service(Path(folder) / "service", urls[name], apart=apart) as at:
            found = rooms.run(at, count, seconds, past=past, alone_s=alone_s)
            found.lost = lost(at, count, past + seconds, found.unsent)
        return found


def row(found: Measured, name: str, load: tuple[float, float]) -> tuple[str, ...]:
    """One run as a line of the table; `load`: of the machine before and after, with all that runs beside."""
    pages = f"{found.behind}, {found.late}, {found.failed_pages} of {len(found.page_s)}"
    return (
        f"{found.rooms}, {name}",
        f"{found.seconds:g}",
        f"{found.acknowledged:,}, {found.lost}",
        _two(found.sent_s),
        _two(found.to_page_s),
        _two(found.to_screen_s),
        _two(found.page_s),
        pages,
        "; ".join(_two(one) for one in (found.order_alone_s, found.order_s, found.order_killed_s)),
        "{:.0f}, {:.0f}".format(*found.memory_mb),
        f"{found.cpu_s / found.seconds:.2f}",
        "{:.1f} to {:.1f}".format(*load),
    )


def _two(values: list[float]) -> str:
    return f"{percentile(values, 0.5) * 1000:.0f}, {percentile(values, 0.99) * 1000:.0f} ms"


def main(seconds: int, counts: list[int]) -> None:
    """Measure each and write the table."""
    rows = []
    for count in counts:
        for name, apart in (("SQLite", False), ("SQLite", True), ("PostgreSQL", False)):
            before = os.getloadavg()[0]
            found = measured(count, seconds, name, past=PAST, alone_s=seconds / 2, apart=apart)
            rows.append(row(found, f"{name}{', apart' if apart else ''}", (before, os.getloadavg()[0])))
            print(" | ".join(rows[-1]), flush=True)
    text, begin, end = PAGE.read_text(encoding="utf-8"), f"<!-- {NAME}: begin -->", f"<!-- {NAME}: end -->"
    above, _, rest = text.partition(begin)
    PAGE.write_text(f"{above}{begin}\n{table(HEAD, rows)}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(given[0] if given else 60, given[1:] or [5, 10, 20, 50])
