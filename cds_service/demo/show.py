"""`cds-service demo`: start the service, fire one real order through the front door, print the card, stay."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import click

from cds_service.demo import patients
from cds_service.ehr import caller, terminal

START_S = 60.0
_STOP = (signal.SIGINT, signal.SIGTERM)


def run(bind: str) -> int:
    """The exit status of the command: 0 when a person ended it."""
    if taken := _taken(bind):
        click.echo(taken, err=True)
        return 1
    with subprocess.Popen(  # noqa: S603 — our own command, with our own arguments
        [sys.executable, "-m", "cds_service.commands.cli", "serve", "--demo", "--bind", bind], stdin=subprocess.DEVNULL
    ) as service:
        for number in _STOP:
            signal.signal(number, lambda *_: service.terminate())
        if not _started(service, bind):
            service.terminate()
            return 1
        try:
            _fire(f"http://{bind}")
        except caller.CallError as error:
            click.echo(str(error), err=True)
            service.terminate()
            return 1
        stopped = service.wait()
    return 0 if stopped in (0, -signal.SIGTERM) else stopped


def _taken(bind: str) -> str | None:
    host, _, port = bind.rpartition(":")
    with socket.socket() as probe:
        if probe.connect_ex((host, int(port))) == 0:
            return f"Something already listens on {bind}. Stop it, or: cds-service demo --bind 127.0.0.1:8010"
    return None


def _started(service: subprocess.Popen[bytes], bind: str) -> bool:
    until = time.monotonic() + START_S
    while time.monotonic() < until and service.poll() is None:
        if caller.answers(f"http://{bind}/cds-services"):
            return True
        time.sleep(0.1)
    return False


def _fire(url: str) -> None:
    ehr = caller.Ehr(service_url=url, fhir_url=f"{url}/demo/fhir")
    people = patients.load(datetime.now(UTC))
    shown = people[0]
    answer = caller.call(ehr, shown.id, shown.order)
    click.echo(
        "\nsurgical-risk, demo mode: every patient is invented. Figures were not calibrated for any hospital.\n\n"
        f"A surgeon selects an order for {shown.name}: {shown.story}\n\n{terminal.write(answer)}\n\n"
        f"Workbench      {url}/\nDiscovery      {url}/cds-services\nModels         {url}/models\n"
        f"FHIR store     {url}/demo/fhir/Patient\nIn the sandbox {url}/sandbox\n\nTry the others, in a second terminal:"
    )
    for person in people[1:]:
        click.echo(f"  .venv/bin/cds-service call {person.id} {person.order[1]}    # {person.story}")
    click.echo("\nThe service stays up until Ctrl-C.")
