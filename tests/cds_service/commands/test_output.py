"""Every command tells its result to a program as one document, and to a terminal in colour where that is wanted."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from gunicorn.arbiter import Arbiter
from werkzeug.serving import make_server

from cds_service.commands import output
from cds_service.commands.cli import main
from cds_service.demo import patients
from cds_service.ehr import caller
from tests.cds_service.commands.every_command import a_folder, commands, run, words
from tests.conformance.conftest import an_app
from tests.end_to_end.servers import free_port

COMMANDS = dict(commands())
# They print no result: two stay until they are stopped, one writes the formats that programs read.
WITHOUT = {"serve", "demo", "record export"}


def test_every_command_that_prints_a_result_has_json() -> None:
    assert {name for name, one in COMMANDS.items() if not any("--json" in o.opts for o in one.params)} == WITHOUT


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT))
def test_with_json_standard_output_is_one_document(tmp_path: Path, name: str) -> None:
    folder = a_folder(tmp_path)
    run(["record", "migrate"], folder)
    told = run([*words(name, COMMANDS[name], folder), "--json"], folder)
    document = json.loads(told.stdout)
    assert isinstance(document, dict)
    assert document
    assert "told" not in document  # nothing is printed past the document
    assert ("error" in document) == (told.exit_code != 0)


def test_what_a_command_prints_by_itself_is_in_the_document_too() -> None:
    @click.command(cls=output.Command)
    def plain() -> None:
        click.echo("a line")

    assert json.loads(CliRunner().invoke(plain, ["--json"]).stdout) == {"told": ["a line"]}


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "coloured"), [(True, None, True), (True, "1", False), (False, None, False)]
)
def test_colour_is_for_terminals_and_never_against_NO_COLOR(
    tmp_path: Path, is_terminal: bool, no_color: str | None, coloured: bool
) -> None:
    told = CliRunner().invoke(
        main, ["models", "verify"], env={"NO_COLOR": no_color, "CDS_MODELS": None}, color=is_terminal
    )
    assert told.exit_code == 0
    assert ("\x1b[" in told.stdout) == coloured


def test_exit_codes_are_those_of_the_table(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    given = {"models list": 0, "record floors nobody": 1, "check --tenants /nowhere": 1, "nonsense": 2, "call": 2}
    given |= {"mapping-report /nowhere": 2, "models add /nowhere": 2, "token --tenant /nowhere --key k": 2}
    given |= {
        "token --key /nowhere": 1,
        "mode show --tenants /nowhere": 1,
        "mode show --database sqlite:////nowhere/r": 1,
    }
    assert {one: run(one.split(), folder).exit_code for one in given} == given
    assert set(output.EXIT_CODES) == {0, 1, 2, Arbiter.WORKER_BOOT_ERROR}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo on a port of its own."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    app = an_app(tmp_path_factory.mktemp("demo"), demo=True, public_url=url)
    made = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield url
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("person", patients.load(datetime.now(UTC)), ids=lambda one: one.id)
def test_every_demo_patients_order_can_be_called_as_the_demo_lists_it(demo: str, person: patients.DemoPatient) -> None:
    told = CliRunner().invoke(main, ["call", person.id, person.order[1], "--service", demo, "--json"])
    assert told.exit_code == 0, told.output
    answer = json.loads(told.stdout)
    assert "unmapped" not in told.stdout
    assert answer["cards"] or person.id == "demo-child"


def test_a_code_of_no_known_shape_that_no_order_has_is_asked_about(demo: str) -> None:
    told = CliRunner().invoke(main, ["call", "demo-fusion", "OR-HIP", "--service", demo])
    assert (told.exit_code, "OR-HIP: of which code system?" in told.output) == (1, True)
    ehr = caller.Ehr(service_url=demo, fhir_url=f"{demo}/demo/fhir")
    assert caller.code_system(ehr, "demo-hip", "OR-HIP") == "https://demo.surgical-risk.example/codes"
