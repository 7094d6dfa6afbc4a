"""What is dropped before an export is sorted changes no row, and what holds or names results is answered as live."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from cds_service.answer import answer
from cds_service.hooks import request as hook_request
from cds_service.hooks.services import HOOKS
from cds_service.replay import patient, processes
from cds_service.replay.opened import NamedOpening
from cds_service.replay.worth import Sieve
from fhir_mappings.report import bulk
from fhir_mappings.report.bulk_files import head_of
from tests.cds_service.replay import charts, odd_results
from tests.cds_service.replay.test_messy_as_live import case_of, exported, signed
from tests.fhir_mappings.cohorts import FOLDERS, everybody

CASES = 150
BASE = FOLDERS / "several-results" / "request.json"


def kept(raws: list[Raw]) -> list[Raw]:
    """What is left of an export by the rules of its runners: nothing is dropped of results where some name others."""
    heads = [(head, raw) for raw in raws if (head := head_of(raw)) is not None]
    sieve = Sieve(charts.setting().site, all_results=any(bulk.names_members(*one) for one in heads))
    return [raw for head, raw in heads if sieve.keeps(head, raw)]


@pytest.mark.parametrize("seed", range(CASES))
def test_dropping_never_changes_a_row(seed: int) -> None:
    dice = random.Random(seed)
    folk = everybody("messy") + everybody("demo")
    someone = dice.choice(folk)
    odd = [one for n in range(dice.randint(1, 4)) for one in odd_results.drawn(dice, someone.id, someone.as_of, n)]
    whole = [*someone.resources, *map(charts.raw, odd), charts.raw(charts.order(someone.id, someone.as_of))]
    assert charts.row_of(someone.id, kept(whole)) == charts.row_of(someone.id, whole), odd


@pytest.mark.parametrize("seed", range(40))
def test_results_that_hold_or_name_others_are_answered_as_live(seed: int) -> None:
    dice = random.Random(seed)
    body, as_of = case_of(BASE)
    patient_id = body["context"]["patientId"]
    odd = odd_results.drawn(dice, patient_id, as_of, 0)
    body["prefetch"]["labs"]["entry"] += [{"resource": one} for one in odd]
    body["prefetch"]["labs"]["total"] = len(body["prefetch"]["labs"]["entry"])
    request = hook_request.read_request(json.dumps(body).encode(), offered=HOOKS)
    using = charts.setting()
    given = answer(request, site=using.site, knowledge=using.knowledge, received=as_of)
    assert given.card is not None
    resources, provided = exported(body["prefetch"])
    raws = kept([charts.raw(one) for one in (*resources, *signed(request, as_of))])
    (row,) = map(json.loads, patient.replay(patient_id, raws, charts.setting(provided=provided)).rows)
    assert (row["summary"], row["detail"]) == (given.card.summary, given.card.detail), odd


@pytest.mark.parametrize("names_members", [False, True])
def test_an_export_in_which_results_name_others_is_sorted_whole(tmp_path: Path, names_members: bool) -> None:
    """The pulse that a panel names says nothing and is dropped elsewhere; here its absence would leave all open."""
    someone = everybody("demo")[0]
    panel, pulse = _a_panel(someone.id, someone.as_of, named=names_members)
    order = charts.order(someone.id, someone.as_of)
    whole = [*someone.resources, *map(charts.raw, (panel, pulse, order))]
    export = tmp_path / "export"
    export.mkdir()
    (export / "all.ndjson").write_bytes(b"\n".join(json.dumps(json.loads(bytes(one))).encode() for one in whole))
    done = processes.run(
        export, tmp_path / "rows", tmp_path / "work", NamedOpening(), processes=1, progress=lambda *_: None
    )
    assert ("dropped Observation" in done.counts) is not names_members
    using = charts.setting(provided=frozenset(done.provided))
    rows = patient.replay(someone.id, [charts.raw(json.loads(bytes(one))) for one in whole], using).rows
    assert [without_tenant(row) for row in (tmp_path / "rows").read_bytes().splitlines()] == [
        without_tenant(row) for row in sorted(rows)
    ]
    assert b"not-understood" not in b"".join(rows)


def _a_panel(patient_id: str, when: datetime, *, named: bool) -> list[dict[str, Any]]:
    member = {"hasMember": [{"reference": "Observation/pulse"}]} if named else {}
    panel = odd_results.result(patient_id, when, "panel", (odd_results.LOINC, "85353-1"), valueQuantity=None, **member)
    return [panel, odd_results.result(patient_id, when, "pulse", (odd_results.LOINC, "8867-4"))]


def without_tenant(row: bytes) -> dict[str, Any]:
    return {name: value for name, value in msgspec.json.decode(row).items() if name not in ("tenant", "id", "result")}
