"""Every command of the command line with arguments that it takes: found by walking the groups, so none is forgotten.

Commands change what they are given: the models are a copy, the record is one of the test's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from cds_service.ehr import client_token
from models_onnx.added import example
from models_onnx.registry import PACKAGE
from tests.conformance.conftest import a_tenant_file

WHO = ("--by", "A. Jones", "--reason", "review")
CODE = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "29999"}]}
RESOURCES = (
    {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"},
    {"resourceType": "ServiceRequest", "status": "active", "subject": {"reference": "Patient/p"}, "code": CODE},
)
# Arguments by name, and what a command wants besides; a command that is not named wants nothing more.
ARGUMENTS = {
    "patient": "demo-fusion",
    "procedure_code": "22633",
    "export": "{folder}/export",
    "tenant_id": "general-hospital",
    "model": "rcri",
    "version": "1.0.0",
    "number": "1",
    "value": "silent",
    "file": "{folder}/outcomes.csv",
    "source": "{folder}/model",
    "name": "bleeding",
    "case_id": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
}
MORE: dict[str, tuple[str, ...]] = {
    "mapping-report": ("--html", "{folder}/r.html", "--csv", "{folder}/r.csv"),
    "demo-hospital": ("--into", "{folder}/hospital", "--weeks", "1"),
    "replay": ("--out", "{folder}/rows", "--work", "{folder}/work", "--processes", "1"),
    "monitor": ("--out", "{folder}/monitor"),
    "models promote": (*WHO, "--force"),
    "models retire": (*WHO, "--force"),
    "models sign": ("--key", "{folder}/key.json"),
    "models new": ("--into", "{folder}/empty"),
    "models add": (*WHO, "--force", "--site-models", "{folder}/site"),
    "models remove": (*WHO, "--force", "--site-models", "{folder}/site"),
    "models rollback": (*WHO, "--force", "--site-models", "{folder}/site"),
    "mode set": (*WHO, "--force"),
    "mode clear": (*WHO, "--force"),
    "kill": (*WHO, "--force"),
    "recalibrate fit": (*WHO, "--force"),
    "recalibrate approve": (*WHO, "--force"),
    "recalibrate retire": (*WHO, "--force"),
    "token": (
        "--issuer",
        "https://test.example.org",
        "--audience",
        "http://127.0.0.1:1/a",
        "--key",
        "{folder}/key.json",
    ),
    "outcomes derive": ("--from", "{folder}/export", "--as-of", "2026-06-30", "--out", "{folder}/derived.csv"),
    "validate": ("--since", "2026-01-01", "--by", "A. Jones", "--out", "{folder}/validation"),
    "record operations": ("--outcome", "30-day-death", "--out", "{folder}/operations.csv"),
    "record seismometer": ("--outcome", "30-day-death", "--out", "{folder}/seismometer"),
    "record remove-case": (*WHO, "--force"),
    "record import-outcomes": (*WHO, "--force", "--source", "registry"),
}


def commands(group: click.Group = main, *above: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name)), command


def a_folder(folder: Path) -> Path:
    """Something of everything that a command reads, good and bad."""
    a_tenant_file(folder / "tenants")
    for name in ("empty", "bad", "export"):
        (folder / name).mkdir()
    (folder / "bad" / "tenant.yaml").write_text("id: [unclosed\n", encoding="utf-8")
    (folder / "export" / "p.ndjson").write_text("\n".join(map(json.dumps, RESOURCES)), encoding="utf-8")
    (folder / "garbage").write_bytes(b"\xff\xfe\x00garbage")
    (folder / "outcomes.csv").write_text("evaluation_id,outcome,occurred\n", encoding="utf-8")
    client_token.new_key(folder / "key.json", "ES384")
    example.written(folder / "model", "bleeding")
    (folder / "models").mkdir()
    for path in PACKAGE.iterdir():  # links but for what is written: promote and retire replace the registry
        if path.name == "registry.yaml":
            (folder / "models" / path.name).write_bytes(path.read_bytes())
        elif path.suffix != ".py" and path.name not in ("training", "__pycache__"):
            (folder / "models" / path.name).symlink_to(path)
    return folder


def run(words: list[str], folder: Path) -> Result:
    """What a command says, of the files of the folder."""
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/r.sqlite3",
        "CDS_TENANTS": str(folder / "tenants"),
        "CDS_MODELS": str(folder / "models"),
        "FHIR_TOKEN": None,
    }
    return CliRunner().invoke(main, words, env=environment)


def words(name: str, command: click.Command, folder: Path) -> list[str]:
    """A command line that the command takes, of the files that lie in the folder."""
    of = [ARGUMENTS[one.name or ""] for one in command.params if isinstance(one, click.Argument) and one.required]
    if name == "mapping-report":
        of = [ARGUMENTS["export"]]
    return [*name.split(), *(one.format(folder=folder) for one in (*of, *MORE.get(name, ())))]
