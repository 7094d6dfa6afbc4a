"""Whole requests mutated at random, sent with their data and again with those left to a FHIR server.

No 5xx; no number moves through what is irrelevant; no invalid value is used; nothing unread is told as absent; and what
is sent and what is fetched are answered alike. A fault names its seed and number: `a_case(seed, number, people)` makes
it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from fhir_mappings.patient import patient_record
from tests.acceptance import mutation_pool
from tests.acceptance.messy_cases import AS_OF
from tests.acceptance.mutation_checks import faults_of, statuses
from tests.acceptance.mutation_run import Run, Server, a_case, measured, serving_cases
from tests.acceptance.mutations_invalid import Done, Target

SEED = 20261129
PARTS, CASES_OF_A_PART = 20, 2_500  # each case is sent prefetched and fetched: 100,000 mutated requests


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving_cases() as held:
        yield held


def a_run(folder: Path, server: Server, *, shared: bool) -> Run:
    database = f"sqlite:///{folder}/record.sqlite3"
    app = create_app(Settings(demo=True, database_url=database, state_directory=folder), clock=lambda: AS_OF)
    return Run(app.test_client(), server, mutation_pool.everybody(shared=shared))


def check(run: Run, cases: int, *, seed: int = SEED, seconds: float = 3_600.0) -> None:
    faults, done, took = measured(run, seed, cases, seconds=seconds)
    print(json.dumps({"seed": seed, "cases": done, "sent": run.sent, "s": round(took), "faults": len(faults)}))
    assert faults == []
    assert done >= cases / 10  # what a very busy machine comes to


def test_mutated_requests_are_answered_as_stated(tmp_path: Path, server: Server) -> None:
    check(a_run(tmp_path, server, shared=False), 900, seconds=80.0)


@pytest.mark.shared
def test_mutated_requests_of_reference_people_are_answered_as_stated(tmp_path: Path, server: Server) -> None:
    check(a_run(tmp_path, server, shared=True), 300, seed=SEED + 1, seconds=50.0)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_great_many_mutated_requests_are_answered_as_stated(part: int, tmp_path: Path, server: Server) -> None:
    run = a_run(tmp_path, server, shared=mutation_pool.SHARED.is_dir())
    check(run, CASES_OF_A_PART, seed=SEED + 100 + part, seconds=7_200.0)


def test_a_case_is_the_same_whenever_it_is_made(tmp_path: Path, server: Server) -> None:
    people = {name: body for name, body in mutation_pool.everybody(shared=False).items() if "composed" not in name}
    for number in (*range(60), 605):
        one, other = (a_case(SEED, number, people) for _ in range(2))
        assert (one.mutated["prefetch"], one.done) == (other.mutated["prefetch"], other.done)


def test_what_is_unread_and_told_as_absent_is_found(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_record, "_gaps", lambda unclear: (0, 0))
    run = a_run(tmp_path, server, shared=False)
    run.people = {name: body for name, body in run.people.items() if name.startswith("composed/")}
    faults, _, _ = measured(run, SEED, 120, seconds=60.0)
    assert any("is told as False" in one for one in faults)


def test_what_is_used_though_it_is_invalid_is_found(tmp_path: Path, server: Server) -> None:
    run = a_run(tmp_path, server, shared=False)
    plain, body = run.plain("composed/0"), run.people["composed/0"]
    target, done = Target("labs", 0), [Done("a value out of range", kills=True)]
    assert any("made invalid" in one for one in faults_of(target, done, plain, plain, plain, body))
    assert list(statuses(target, [Done("another patient")], plain, is_json=True))
