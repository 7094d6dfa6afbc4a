"""What a second process is worth to `cds-service replay`: `python -m tests.benchmarks.replay_processes [PEOPLE]`.

One process and two in turns, on the same export, by the wall clock and by the processor. To be run on a machine of
two processors or more that does nothing else; the load when it began is told.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.benchmarks.test_replay_cost import TWICE, measured
from tests.cds_service.replay.test_processes import a_large_export

PEOPLE, ROUNDS = 10_000, 3
_DEMO_PATIENTS = 9


class Taken(msgspec.Struct, frozen=True):
    """Seconds of one replay: by the wall clock, from the start of the command to its end, and of all processors."""

    wall_s: float
    cpu_s: float
    rows: int


def taken(export: Path, folder: Path, processes: int) -> Taken:
    """One replay in processes of its own."""
    before = time.perf_counter()
    found = measured(export, folder, processes)
    return Taken(time.perf_counter() - before, found.leader_s + found.workers_s, found.rows)


def main(people: int) -> None:
    """Print a line for each replay, and the ratio of the medians last."""
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {people} people")
    found: dict[int, list[Taken]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as scratch:
        export = a_large_export(Path(scratch) / "export", people // _DEMO_PATIENTS)
        for number in range(ROUNDS):
            for processes, runs in found.items():
                runs.append(taken(export, Path(scratch) / f"{processes}-{number}", processes))
                last = runs[-1]
                print(
                    f"{processes} process(es): {last.wall_s:.1f} s, {last.cpu_s:.1f} s of processor, {last.rows} rows"
                )
    wall, cpu = (
        {at: statistics.median(getattr(run, of) for run in runs) for at, runs in found.items()} for of in _BOTH
    )
    print(
        f"two processes: {wall[1] / wall[2]:.2f} times as fast (asked for: {TWICE}), {cpu[2] / cpu[1]:.2f} of the work"
    )


_BOTH = ("wall_s", "cpu_s")

if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else PEOPLE)
