"""What is verified before a start."""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner

from cds_service.commands import checks, cli
from cds_service.operations import logs
from cds_service.web.settings import Settings
from models_onnx.registry import PACKAGE
from tests.conformance.conftest import a_tenant_file


def test_models_that_are_not_what_was_exported_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    right = {one.what: one for one in checks.run(Settings(models=folder, demo=True))}["models"]
    assert right.ok
    graph = next(folder.glob("*/rcri/1.0.0/model.onnx"))
    graph.write_bytes(graph.read_bytes() + b" ")
    wrong = {one.what: one for one in checks.run(Settings(models=folder, demo=True))}["models"]
    assert (wrong.ok, "rcri 1.0.0: model.onnx is not the file that was exported" in wrong.told) == (False, True)


NO_CPT = "CPT: 0 codes; orders in CPT get no answer"


def test_DEC_41_check_tells_order_codes_by_system_and_warns_of_one_without(tmp_path: Path) -> None:
    folder = a_tenant_file(tmp_path / "tenants", concept_maps=[])
    told = CliRunner().invoke(cli.main, ["check", "--tenants", str(folder)])
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert any(line.startswith("ok    order codes: CPT 0, ICD-10-PCS ") for line in lines)
    assert f"WARN  order codes: {NO_CPT} (general-hospital)" in lines


def test_with_a_map_of_CPT_nothing_is_warned_of(tmp_path: Path) -> None:
    told = checks.run(Settings(tenants=a_tenant_file(tmp_path / "tenants")))
    (codes,) = [one for one in told if one.what == "order codes"]
    assert codes.warnings == ()
    assert codes.told.startswith("CPT ")
    assert not codes.told.startswith("CPT 0")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    logs.configure(out)
    yield out
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_DEC_41_the_start_log_tells_the_same(tmp_path: Path, written: io.StringIO) -> None:
    folder = a_tenant_file(tmp_path / "tenants", concept_maps=[])
    cli._ready_or_exit(Settings(tenants=folder, database_url=f"sqlite:///{tmp_path}/r.sqlite3"))
    told = [(entry["level"], entry["told"]) for entry in map(json.loads, written.getvalue().splitlines())]
    assert told[0][0] == "info"
    assert told[0][1].startswith("order codes: CPT 0, ICD-10-PCS ")
    assert told[1] == ("warning", f"{NO_CPT} (general-hospital)")


@pytest.mark.parametrize(
    "unmapped", [{"mode": "other-map", "url": "urn:x"}, {"mode": "fixed"}, {"mode": "fixed", "code": "none-of-ours"}]
)
def test_a_map_that_is_not_understood_stops_the_start_by_name(tmp_path: Path, unmapped: dict[str, str]) -> None:
    concept = "https://surgical-risk.io/fhir/CodeSystem/concept"
    group = {"source": "urn:site", "target": concept, "element": [], "unmapped": unmapped}
    document = {"resourceType": "ConceptMap", "name": "N", "version": "1", "contact": [{"name": "A"}], "group": [group]}
    own = tmp_path / "own.json"
    own.write_text(json.dumps(document))
    told = checks.run(Settings(tenants=a_tenant_file(tmp_path / "tenants", concept_maps=[str(own)])))
    (tenants,) = [one for one in told if one.what == "tenants"]
    assert (tenants.ok, "own.json: group.unmapped" in tenants.told) == (False, True)


def test_what_of_snomed_is_understood_is_told_of_every_tenant() -> None:
    tenants = {one.what: one for one in checks.run(Settings(demo=True))}["tenants"]
    assert tenants.ok
    assert "SNOMED CT by the shipped short lists only: " in tenants.told
    assert "counts as not understood, and estimates become ranges" in tenants.told
    readers = tenants.told.partition("reviewed as of no idea (")[2].partition(")")[0].split("; ")
    assert len(readers) == len(set(readers))


def test_before_the_first_start_check_says_why_it_does_not_know_what_is_shown(tmp_path: Path) -> None:
    """ "ok shown: unknown" was no answer, and "not looked at: None" no reason."""
    settings = Settings(tenants=a_tenant_file(tmp_path / "tenants"), database_url=f"sqlite:///{tmp_path}/none.sqlite3")
    (shown,) = [one for one in checks.run(settings) if one.what == "shown"]
    (warning,) = shown.warnings
    assert shown.told == ""
    assert warning.startswith("not looked at: ")
    assert "there is no such file" in warning


@pytest.mark.parametrize(
    ("members", "says", "warned"),
    [
        ({"card_floor": 0.0}, "always a card", False),
        ({"card_floor": 0.1}, "any-complication 0.1", True),
        (
            {"card_floor": None, "card_floors": {"any-complication": 0.2}},
            "30-day-death 0.015, any-complication 0.2",
            False,
        ),
    ],
)
def test_check_tells_from_which_risk_a_card_opens_and_warns_of_one_number_for_all(
    tmp_path: Path, members: dict[str, Any], says: str, warned: bool
) -> None:
    told = checks.run(Settings(tenants=a_tenant_file(tmp_path / "tenants", **members)))
    (floors,) = [one for one in told if one.what == "card floors"]
    assert says in floors.told
    assert [("write card_floors" in line) for line in floors.warnings] == ([True] if warned else [])
