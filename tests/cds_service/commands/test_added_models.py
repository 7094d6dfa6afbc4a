"""`cds-service models new, add, remove, rollback`: what is said, what is refused, and the event that each leaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from models_onnx.added import shelf
from tests.cds_service.commands.test_models import events
from tests.cds_service.records.present import a_worker_uses
from tests.conformance.conftest import a_tenant_file
from tests.models_onnx.added import graphs

WHO = ("--by", "A. Jones", "--reason", "our own cases")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3", "CDS_SITE_MODELS": str(tmp_path / "site")}

    def command(*words: str | Path) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words], env=environment)

    assert command("record", "migrate").exit_code == 0
    a_worker_uses(environment["DATABASE_URL"])
    return command


def test_a_new_folder_can_be_added_as_it_is(run: Run, tmp_path: Path) -> None:
    made = run("models", "new", "bleeding", "--into", tmp_path)
    assert (made.exit_code, "cds-service models add" in made.output) == (0, True)
    assert {path.name for path in (tmp_path / "bleeding").iterdir()} == {"model.yaml", "model.onnx", "train.py"}
    added = run("models", "add", tmp_path / "bleeding", *WHO)
    assert added.exit_code == 0, added.output
    assert "ok    bleeding 1.0.0: 2 nodes (LinearClassifier, Scaler)" in added.output
    assert "not validated here: told in a line of its own, heads no card" in added.output
    assert "bleeding 1.0.0 (added by this site, not validated here)" in run("models", "verify").output
    assert "added       transfusion-7-days     not validated" in run("models", "list").output
    assert [(one.action, one.scope, one.done_by) for one in events(tmp_path)] == [
        ("model-add", "bleeding: none -> 1.0.0", "A. Jones")
    ]


def test_rolling_back_and_removing_are_said_and_recorded(run: Run, tmp_path: Path) -> None:
    for number, version in enumerate(("1.0.0", "1.1.0")):
        folder = graphs.folder(tmp_path / f"f{number}", graphs.logistic(), version=version)
        assert run("models", "add", folder, *WHO).exit_code == 0
    assert "bleeding: 1.1.0 -> 1.0.0" in run("models", "rollback", "bleeding", *WHO).output
    tenants = a_tenant_file(tmp_path / "tenants", added_models=["bleeding"])
    removed = run("models", "remove", "bleeding", "--tenants", tenants, *WHO)
    assert "bleeding 1.0.0: removed" in removed.output
    assert "tenant general-hospital names it" in removed.output
    assert [one.action for one in events(tmp_path)] == [
        "model-add",
        "model-add",
        "model-rollback",
        "model-remove",
    ]
    assert shelf.load(tmp_path / "site").by_name == {}
    again = run("models", "remove", "bleeding", *WHO)
    assert (again.exit_code, "no such model was added; there are none" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (
            {"inputs": [{"name": "hemoglobin", "kind": "number", "unit": "g/dL", "low": 6, "high": 18}]},
            "input hemoglobin is no feature (there are haemoglobin)",
        ),
        (
            {"inputs": [{"name": "haemoglobin", "kind": "number", "unit": "g/L", "low": 60, "high": 180}]},
            "input haemoglobin is number in 'g/L', the feature number in 'g/dL'",
        ),
        (
            {"inputs": [{"name": "sex", "kind": "category", "categories": ["male", "other"]}]},
            "input sex has categories that the feature has not",
        ),
        ({"operations": ["hip"]}, "operations: no procedure group is called hip"),
        ({"name": "rcri"}, "a model that is shipped is called rcri"),
        (
            {"outcome": {"name": "30-day-death", "heading": "Death", "words": "death", "definition": "Death.",
                         "horizon": "90 days", "denominator": 1000}},
            "the horizon of 30-day-death is 30 days",
        ),
    ],
    ids=lambda one: one[:40] if isinstance(one, str) else "",
)  # fmt: skip
def test_what_does_not_fit_the_features_or_the_shipped_models_is_refused(
    run: Run, tmp_path: Path, members: dict[str, object], why: str
) -> None:
    if "inputs" in members:
        person = {"hemoglobin": 10, "haemoglobin": 100, "sex": "male"}
        names = [entry["name"] for entry in members["inputs"]]  # type: ignore[attr-defined]
        members |= {
            "examples": [{"inputs": {name: person[name] for name in names}, "probability": 0.5}],
            "contributions": {"method": "none"},
        }
    told = run("models", "add", graphs.folder(tmp_path / "new", **members), *WHO)
    assert told.exit_code == 1
    assert why in told.output
    assert events(tmp_path) == ()


def test_a_graph_that_is_refused_is_named_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    loop = graphs.graph([graphs.node("Loop", ["X"], ["p"])])
    told = run("models", "add", graphs.folder(tmp_path / "new", loop, **graphs.NOT_ASKED), *WHO)
    assert (told.exit_code, told.output.splitlines()[-1]) == (1, "Error: operator Loop of ai.onnx is not allowed")
    assert list((tmp_path / "site").iterdir()) == []


def test_in_production_a_model_of_ones_own_needs_two_people(run: Run, tmp_path: Path) -> None:
    tenants = a_tenant_file(tmp_path / "tenants")
    folder = graphs.folder(tmp_path / "new", graphs.logistic())
    alone = run("models", "add", folder, "--tenants", tenants, *WHO)
    assert (alone.exit_code, "needs a second person" in alone.output) == (1, True)
    both = run("models", "add", folder, "--tenants", tenants, "--approved-by", "B. Smith", *WHO)
    assert both.exit_code == 0, both.output


def test_a_database_that_no_worker_uses_is_refused(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3", "CDS_SITE_MODELS": str(tmp_path / "site")}
    assert CliRunner().invoke(main, ["record", "migrate"], env=environment).exit_code == 0
    folder = str(graphs.folder(tmp_path / "new", graphs.logistic()))
    told = CliRunner().invoke(main, ["models", "add", folder, *WHO], env=environment)
    assert (told.exit_code, "no worker has used this database" in told.output) == (1, True)
    assert CliRunner().invoke(main, ["models", "add", folder, *WHO, "--force"], env=environment).exit_code == 0
