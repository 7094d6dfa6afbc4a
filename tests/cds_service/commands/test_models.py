"""`cds-service models`: what is told, what is refused, and the event that each change leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from cds_service.records import database, switches
from cds_service.records.rows import AdministrationEvent
from models_onnx import manifest
from models_onnx.registry import PACKAGE
from tests.cds_service.records.present import a_worker_uses
from tests.conformance.conftest import a_tenant_file

WHO = ("--by", "A. Jones", "--reason", "annual review")
Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "models"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    return target


@pytest.fixture
def run(tmp_path: Path, folder: Path) -> Run:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3", "CDS_MODELS": str(folder)}

    def command(*words: str) -> Result:
        return CliRunner().invoke(main, words, env=environment)

    assert command("record", "migrate").exit_code == 0
    a_worker_uses(environment["DATABASE_URL"])
    return command


def events(tmp_path: Path) -> tuple[AdministrationEvent, ...]:
    engine = database.connect(f"sqlite:///{tmp_path}/r.sqlite3", durable=True, connections=1)
    found = switches.history(engine)
    engine.dispose()
    return found


def test_every_version_is_listed_with_its_state(run: Run, folder: Path) -> None:
    listed = run("models", "list").output.splitlines()
    assert listed[0] == str(folder / "registry.yaml")
    assert len(listed) == 1 + len(list(PACKAGE.glob("*/*/*/card.yaml")))
    assert listed[1].split()[:4] == ["sort-2014", "1.0.0", "champion", "30-day-death"]
    assert run("models", "list", "--models", str(folder.parent)).exit_code == 1


def test_every_version_is_verified_and_a_changed_graph_is_named(run: Run, folder: Path) -> None:
    verified = run("models", "verify")
    assert verified.exit_code == 0
    assert verified.output.count("golden scores") == len(list(PACKAGE.glob("*/*/*/card.yaml")))
    graph = folder / "30-day-death" / "sort-2014" / "1.0.0" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    refused = run("models", "verify")
    assert refused.exit_code == 1
    assert refused.output.strip() == (
        "Error: sort-2014 1.0.0: model.onnx is not the file that was exported (sha256 differs)"
    )


def test_a_retirement_and_a_promotion_are_events_that_say_who_when_why_and_from_which_version(
    run: Run, tmp_path: Path
) -> None:
    assert "rcri 1.0.0: champion -> retired" in run("models", "retire", "rcri", "1.0.0", *WHO).output
    assert run("models", "promote", "rcri", "1.0.0", *WHO, "--approved-by", "B. Smith").exit_code == 0
    retired, promoted = events(tmp_path)
    assert (retired.action, retired.scope, retired.value) == (
        "model-retire",
        "rcri 1.0.0: champion -> retired",
        "1.0.0 -> none",
    )
    assert (promoted.action, promoted.value) == ("model-promote", "none -> 1.0.0")
    assert (retired.done_by, retired.reason) == ("A. Jones", "annual review")
    assert (retired.approved_by, promoted.approved_by) == (None, "B. Smith")
    assert retired.happened_at <= promoted.happened_at
    assert "model-retire 1.0.0 -> none for rcri 1.0.0: champion -> retired" in run("mode", "show").output


def test_a_model_that_asks_for_an_input_in_another_unit_is_not_promoted(run: Run, folder: Path) -> None:
    card = folder / "pulmonary-complication" / "ariscat" / "1.0.0" / "card.yaml"
    told = card.read_text(encoding="utf-8")
    card.write_text(told.replace("name: spo2\n  kind: number\n  unit: '%'", "name: spo2\n  kind: number\n  unit: '1'"))
    manifest.write(folder)
    before = (folder / "registry.yaml").read_bytes()
    refused = run("models", "promote", "ariscat", "1.0.0", "--to", "challenger", *WHO)
    assert refused.exit_code == 1
    assert "ariscat: input spo2 is number in '1', the feature number in '%'" in refused.output
    assert (folder / "registry.yaml").read_bytes() == before


def test_a_change_that_the_record_cannot_keep_is_not_made(folder: Path, tmp_path: Path) -> None:
    before = (folder / "registry.yaml").read_bytes()
    words = ["models", "retire", "rcri", "1.0.0", *WHO, "--models", str(folder)]
    (tmp_path / "empty.sqlite3").touch()
    refused = CliRunner().invoke(main, [*words, "--database", f"sqlite:///{tmp_path}/empty.sqlite3"])
    assert refused.exit_code == 1
    assert "migrate the record first" in refused.output
    assert (folder / "registry.yaml").read_bytes() == before


def test_a_version_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    assert "rcri 9.0.0: registry.yaml does not name it" in run("models", "promote", "rcri", "9.0.0", *WHO).output
    assert events(tmp_path) == ()


def test_R_E06_a_champion_in_production_needs_a_second_person(run: Run, tmp_path: Path) -> None:
    tenants = ("--tenants", str(a_tenant_file(tmp_path / "tenants")))
    assert run("models", "retire", "rcri", "1.0.0", *WHO, *tenants).exit_code == 0
    promote = ("models", "promote", "rcri", "1.0.0", *WHO, *tenants)
    assert "second person" in run(*promote).output
    assert "second person" in run(*promote, "--approved-by", "a. jones ").output
    assert run(*promote, "--approved-by", "B. Smith").exit_code == 0
