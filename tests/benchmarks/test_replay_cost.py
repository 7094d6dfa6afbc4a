"""Replay costs little more than the live reading, deriving and scoring of the same bytes; memory does not grow."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_service.answer import answer
from cds_service.demo import patients
from cds_service.hooks import request as hook_request
from cds_service.hooks.services import HOOKS
from cds_service.replay import patient
from tests.cds_service.replay import charts
from tests.cds_service.replay.test_processes import a_large_export

pytestmark = [pytest.mark.benchmark, pytest.mark.long]
AS_OF = datetime(2026, 11, 20, 9, tzinfo=UTC)
HELD = frozenset({"Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "ServiceRequest"})
MOST_OVER_LIVE, MOST_GROWTH = 1.3, 1.10
TWICE = 1.8
FEW, MANY = 200, 20_000
MEASURED = """
import resource, sys
from pathlib import Path
from cds_service.replay import processes
from cds_service.replay.opened import NamedOpening
if __name__ == "__main__":
    export, folder = Path(sys.argv[1]), Path(sys.argv[2])
    done = processes.run(export, folder / "rows", folder / "work", NamedOpening(), processes=int(sys.argv[3]),
                         progress=lambda *_: None)
    workers, leader = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
    print(done.rows, workers.ru_maxrss, leader.ru_maxrss, workers.ru_utime + workers.ru_stime,
          leader.ru_utime + leader.ru_stime)
"""


def test_a_patient_costs_little_more_than_live() -> None:
    """Processor time, so that a busy machine tells the same; the median over the demo patients."""
    ratios = {}
    using = charts.setting(provided=HELD)
    for someone in patients.load(AS_OF):
        chart = [dict(one) for one in someone.resources]
        order = charts.order(someone.id, AS_OF, someone.order[1])
        order["code"]["coding"][0]["system"] = someone.order[0]
        raws = [charts.raw(one) for one in (*chart, order)]
        body = live_body(someone.id, chart, order)

        def live(body: bytes = body) -> Any:
            request = hook_request.read_request(body, offered=HOOKS)
            given = answer(request, site=using.site, knowledge=using.knowledge, received=AS_OF)
            return msgspec.json.encode(given.card) if given.card else given.silence

        def again(raws: list[msgspec.Raw] = raws, who: str = someone.id) -> Any:
            return patient.replay(who, raws, using)

        ratios[someone.id] = seconds(again) / seconds(live)
    print({who: round(ratio, 2) for who, ratio in ratios.items()})
    assert statistics.median(ratios.values()) <= MOST_OVER_LIVE


def live_body(patient_id: str, chart: list[dict[str, Any]], order: dict[str, Any]) -> bytes:
    """A call whose prefetch holds the very resources."""
    keys = {"Condition": "conditions", "Observation": "observations", "MedicationRequest": "medications"}
    keys |= {"Procedure": "procedures", "ServiceRequest": "orders"}
    prefetch: dict[str, Any] = {
        key: {"resourceType": "Bundle", "type": "searchset",
              "entry": [{"resource": one} for one in chart if one["resourceType"] == kind]}
        for kind, key in keys.items()
    }  # fmt: skip
    prefetch["patient"] = next(one for one in chart if one["resourceType"] == "Patient")
    prefetch["labs"] = {"resourceType": "Bundle", "type": "searchset"}
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {**order, "status": "draft"}}]}
    context = {"userId": "Practitioner/replay", "patientId": patient_id, "draftOrders": drafts}
    return json.dumps({"hook": "order-sign", "hookInstance": "1", "context": context, "prefetch": prefetch}).encode()


def seconds(do: Callable[[], Any], rounds: int = 9, each: int = 20) -> float:
    """The least processor time of a few rounds."""
    found = []
    for _ in range(rounds):
        before = time.process_time()
        for _ in range(each):
            do()
        found.append(time.process_time() - before)
    return min(found)


def test_memory_does_not_grow_with_the_export(tmp_path: Path) -> None:
    """The largest process of a replay of 200 and of 20,000 patients; the time that one and two processes take."""
    peaks = {}
    for people in (FEW, MANY):
        export = a_large_export(tmp_path / f"export-{people}", people // 9)
        told = measured(export, tmp_path / str(people), 1)
        peaks[people] = [told.worker_kib / 1024, told.leader_kib / 1024]
        assert told.rows >= people * 0.9
    print(peaks)
    for few, many in zip(peaks[FEW], peaks[MANY], strict=True):
        assert many <= few * MOST_GROWTH


def test_two_processes_leave_little_for_one_to_do(tmp_path: Path) -> None:
    """Processor time, which a busy machine tells too: what only the leader does, and what two workers cost together.

    Two processors take at best the leader's time and half of the workers'; starting a second process is counted. The
    least of two runs each: beside others the same work costs up to a tenth more.
    """
    export = a_large_export(tmp_path / "export", 1000)
    runs = [(at, measured(export, tmp_path / f"{at}-{number}", at)) for number in (1, 2) for at in (1, 2)]
    leader, workers = (
        {at: min(cost(run) for of, run in runs if of == at) for at in (1, 2)}
        for cost in (lambda run: run.leader_s, lambda run: run.workers_s)
    )
    best = (leader[1] + workers[1]) / (leader[2] + workers[2] / 2)
    print(f"leader {leader}, workers {workers}: {best:.2f}")
    assert len({run.rows for _, run in runs}) == 1
    assert best >= TWICE


def test_two_processes_are_nearly_twice_as_fast(tmp_path: Path) -> None:
    if os.getloadavg()[0] > 1:
        pytest.skip("the machine is not quiet")
    export = a_large_export(tmp_path / "export", 1000)
    taken = {}
    for processes in (1, 2):
        before = time.perf_counter()
        measured(export, tmp_path / str(processes), processes)
        taken[processes] = time.perf_counter() - before
    print(taken)
    assert taken[1] / taken[2] >= TWICE


class Measured(msgspec.Struct, frozen=True):
    """Rows, the largest resident kilobytes of a worker and of the process that leads them, and processor seconds."""

    rows: int
    worker_kib: int
    leader_kib: int
    workers_s: float
    leader_s: float


def measured(export: Path, folder: Path, processes: int) -> Measured:
    """A replay in a process of its own: begun by a shell, for Linux counts what was shared with whoever began it."""
    folder.mkdir()
    program = folder / "measured.py"
    program.write_text(MEASURED, encoding="utf-8")
    command = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]
    command += [sys.executable, str(program), str(export), str(folder), str(processes)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    words = done.stdout.split()
    return Measured(*map(int, words[:3]), *map(float, words[3:]))
