"""Whatever is wrong with a command's input is told in plain words: no traceback, no name of a Python class."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cds_service.commands import output
from cds_service.commands.cli import main
from tests.cds_service.commands.every_command import a_folder, commands, run, words
from tests.conformance.conftest import a_tenant_file

COMMANDS = dict(commands())
CLASS_NAME = re.compile(r"[A-Za-z]+(Error|Exception)\b|\[Errno|Traceback|<class|validation error")
BAD_DATABASES = ("mysql://u:secret@h/d", "nonsense", "sqlite:////nowhere/at/all.sqlite3", "sqlite:///{folder}/garbage")
BAD_URLS = ("nonsense", "http://", "http://127.0.0.1:1/fhir", "file:///etc/passwd", "http://[::1")
BAD_TEXTS = {
    "zone": ("Nowhere/City", "../../etc/passwd"),
    "as_of": ("yesterday",),
    "bind": ("nonsense", "a:b", "127.0.0.1:99999"),
}
BAD_FILES = ("{folder}/none", "{folder}/empty", "{folder}/garbage", "{folder}/bad", "{folder}/export")


def bad_values(parameter: click.Parameter) -> tuple[str, ...]:
    if isinstance(parameter.type, click.Path | click.File) and parameter.name not in ("out", "page", "table"):
        return BAD_FILES
    if parameter.name in ("out", "page", "table"):
        return ("{folder}/none/at/all", "{folder}/empty")
    if parameter.name == "database_url":
        return BAD_DATABASES
    if parameter.name in ("fhir", "service"):
        return BAD_URLS
    return BAD_TEXTS.get(parameter.name or "", ())


CASES = [
    (name, parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.name or "", value)
    for name, command in COMMANDS.items()
    for parameter in command.params
    for value in bad_values(parameter)
    if (name, parameter.name) not in {("serve", "tenants"), ("serve", "bind")}  # tried as a process, below
]


def line(name: str, option: str, value: str, folder: Path) -> list[str]:
    """The command with this one value in the place of a good one."""
    command, given = COMMANDS[name], words(name, COMMANDS[name], folder)
    if option.startswith("-"):
        if option == "--fhir" and name == "mapping-report":
            given.remove(str(folder / "export"))
        return [*given, option, value]
    place = [one.name for one in command.params if isinstance(one, click.Argument)].index(option)
    given[len(name.split()) + place] = value
    return given


@pytest.mark.parametrize(("name", "option", "value"), CASES, ids=[" ".join(case) for case in CASES])
def test_bad_input_is_told_in_plain_words(tmp_path: Path, name: str, option: str, value: str) -> None:
    folder = a_folder(tmp_path)
    assert run(["record", "migrate"], folder).exit_code == 0
    told = run(line(name, option, value.format(folder=folder), folder), folder)
    assert told.exception is None or isinstance(told.exception, SystemExit), repr(told.exception)
    assert told.exit_code in output.EXIT_CODES
    assert not CLASS_NAME.search(told.output), told.output
    assert "secret" not in told.output
    if told.exit_code == 1:
        assert "Error: " in told.output or "FAIL" in told.output
    assert told.exit_code or harmless(option, value) or (name, option) in UNREAD, told.output


# `mode set ... silent` reads no models; a replay makes the folder in which it works.
UNREAD = {("mode set", "--site-models"), ("mode set", "--models"), ("replay", "--work")}


def harmless(option: str, value: str) -> bool:
    """What is good enough for some command: a folder of an export is one, and a file may be written anywhere."""
    return value in ("{folder}/export", "{folder}/garbage", "{folder}/empty") or option in ("--service", "--into")


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if name not in ("serve", "demo", "check")])
@pytest.mark.parametrize("lack", ["no database", "no service", "no tenants"])
def test_without_what_it_needs_it_says_so(tmp_path: Path, name: str, lack: str) -> None:
    folder = a_folder(tmp_path)
    if lack != "no database":
        run(["record", "migrate"], folder)
    if lack == "no tenants":
        (folder / "tenants" / "tenant.yaml").unlink()
    told = run(words(name, COMMANDS[name], folder), folder)
    assert told.exception is None or isinstance(told.exception, SystemExit), repr(told.exception)
    assert not CLASS_NAME.search(told.output), told.output


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CDS_STATE_DIRECTORY": "/nowhere"}, "CDS_STATE_DIRECTORY: /nowhere is no folder that can be written"),
        ({"CDS_WORKERS": "many"}, "settings: CDS_WORKERS: input should be a valid integer"),
        ({"CDS_BIND": "nonsense"}, "settings: CDS_BIND: 'nonsense' is not HOST:PORT"),
        ({"CDS_SESSION_KEY": "secret"}, "settings: CDS_SESSION_KEY: value should have at least 32 items"),
        ({"DATABASE_URL": "mysql://u:secret@h/d"}, "DATABASE_URL: the database is named by sqlite://… or postgresql"),
        ({"DATABASE_URL": "sqlite:////nowhere/r.sqlite3"}, "there is no such folder, or it may not be opened"),
        ({"DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/d"}, "nothing listens there: look at host and port"),
        ({"CDS_TENANTS": "/nowhere"}, "tenants: /nowhere: there is no such folder of tenants"),
        ({"CDS_MODELS": "/nowhere"}, "models: "),
        ({"CDS_DISCOVERY_AUHT": "required"}, "CDS_DISCOVERY_AUHT is no setting: did you mean CDS_DISCOVERY_AUTH?"),
    ],
)
def test_a_start_that_cannot_be_says_why(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    environment: dict[str, str | None] = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3",
        "CDS_STATE_DIRECTORY": str(tmp_path),
        "CDS_TENANTS": str(a_tenant_file(tmp_path / "tenants")),
    }
    told = CliRunner().invoke(main, ["serve", "--bind", "127.0.0.1:1"] if "BIND" not in str(settings) else ["serve"],
                              env=environment | settings)  # fmt: skip
    assert (told.exit_code, says in told.output) == (1, True), told.output
    assert not CLASS_NAME.search(told.output), told.output
    assert "secret" not in told.output


def test_an_error_is_told_in_the_document_too(tmp_path: Path) -> None:
    told = run(["models", "list", "--json", "--models", str(a_folder(tmp_path) / "empty")], tmp_path)
    assert told.exit_code == 1
    assert json.loads(told.stdout)["error"] in told.stderr


def test_a_fault_of_the_program_stays_one() -> None:
    @click.command(cls=output.Command)
    def broken() -> None:
        raise KeyError("a bug")

    assert isinstance(CliRunner().invoke(broken).exception, KeyError)


WITH_A_RECORD = [
    name
    for name, one in COMMANDS.items()
    if any(option.name == "database_url" for option in one.params)
    and name
    not in ("serve", "record migrate", "record floors")  # floors: nobody here has a budget, which is said first
]


@pytest.mark.parametrize("name", WITH_A_RECORD)
def test_a_record_that_is_not_there_is_said_to_be_absent_and_is_not_made(tmp_path: Path, name: str) -> None:
    """A misspelt name left an empty database behind, which then was said to be of another version."""
    folder = a_folder(tmp_path)
    approved = ["--approved-by", "B. Smith"] if any(one.name == "approved_by" for one in COMMANDS[name].params) else []
    told = run([*line(name, "--database", f"sqlite:///{folder}/absent.sqlite3", folder), *approved], folder)
    assert told.exit_code == 1
    assert "absent.sqlite3: there is no such file; name the service's own with --database" in told.output
    assert not (folder / "absent.sqlite3").exists()
