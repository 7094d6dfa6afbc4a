"""A command that changes a running service names the database, refuses the wrong one, and proves that all follow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.commands import proof
from cds_service.commands.cli import main
from cds_service.records import database, migrate, switches, workers
from cds_service.records.switches import SwitchReader
from cds_service.records.workers import Presence
from cds_service.tenants.tenant_folder import TenantFolder
from tests.cds_service.records.present import a_worker_uses
from tests.conformance.conftest import a_tenant_file

WHO = ("--by", "A. Jones", "--reason", "drill")
Run = Callable[..., Result]
COMMANDS = [
    ("kill", *WHO),
    ("kill", "--off", *WHO),
    ("mode", "set", "demo", "silent", *WHO),
    ("mode", "clear", "demo", *WHO),
    ("models", "retire", "rcri", "1.0.0", *WHO),
    ("models", "promote", "rcri", "1.0.0", *WHO),
    ("recalibrate", "fit", "demo", "rcri", *WHO),
    ("recalibrate", "approve", "demo", "rcri", "1", *WHO),
    ("recalibrate", "retire", "demo", "rcri", "1", *WHO),
    ("record", "import-outcomes", "demo", __file__, "--source", "registry", *WHO),
]
OF_A_TENANT = [
    ("kill", "--tenant", "genral", *WHO),
    ("mode", "set", "genral", "off", *WHO),
    ("recalibrate", "fit", "genral", "rcri", *WHO),
    ("recalibrate", "approve", "genral", "rcri", "1", *WHO),
    ("recalibrate", "retire", "genral", "rcri", "1", *WHO),
    ("record", "import-outcomes", "genral", __file__, "--source", "registry", *WHO),
    ("record", "export", "genral"),
    ("record", "export", "genral", "--form", "scores"),
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/r.sqlite3"
    migrate.upgrade(address)
    return address


@pytest.fixture
def run(url: str) -> Run:
    return lambda *words: CliRunner().invoke(main, words, env={"DATABASE_URL": url})


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_database_that_no_worker_uses_is_refused_and_named(run: Run, url: str, words: tuple[str, ...]) -> None:
    refused = run(*words)
    assert refused.exit_code == 1
    assert url in refused.output
    assert "no worker has used this database lately" in refused.output


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_an_empty_database_beside_the_command_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    """`kill` wrote to a new local SQLite and said "in force"."""
    refused = CliRunner().invoke(main, words, env={"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"})
    assert refused.exit_code == 1
    assert "in force" not in refused.output


def test_a_worker_that_was_there_an_hour_ago_is_none(run: Run, url: str) -> None:
    a_worker_uses(url, "demo", at=datetime.now(UTC) - timedelta(hours=1))
    assert run("kill", *WHO).exit_code == 1
    assert run("kill", *WHO, "--force").exit_code == 0


@pytest.mark.parametrize("words", OF_A_TENANT, ids=lambda words: " ".join(words[:2]))
def test_a_tenant_that_nobody_knows_is_refused(run: Run, url: str, words: tuple[str, ...]) -> None:
    a_worker_uses(url, "general")
    refused = run(*words)
    assert (refused.exit_code, "no tenant 'genral'" in refused.output) == (1, True)
    assert run("kill", "--tenant", "general", *WHO).exit_code == 0


@pytest.fixture
def two_nodes(url: str) -> Iterator[list[Presence]]:
    """Two workers that tell what they hold, as each does in its own process."""
    engines = [database.connect(url, durable=False, connections=1) for _ in range(2)]
    made = [Presence(engine, SwitchReader(engine)) for engine in engines]
    for one in made:
        one.serves(["demo"], None)
    yield made
    for one, engine in zip(made, engines, strict=True):
        one.close()
        engine.dispose()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switches, "FRESH_S", 0.0)
    monkeypatch.setattr(workers, "LOOK_S", 0.05)
    monkeypatch.setattr(proof, "_LOOK_S", 0.05)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("words", [("kill",), ("mode", "set", "demo", "off"), ("kill", "--tenant", "demo")])
def test_waiting_ends_once_every_worker_has_it(run: Run, two_nodes: list[Presence], words: tuple[str, ...]) -> None:
    for one in two_nodes:
        one.tell(datetime.now(UTC))
        one.start()
    done = run(*words, *WHO, "--wait")
    assert done.exit_code == 0, done.output
    assert "2 of 2 workers have it" in done.output


@pytest.mark.usefixtures("quick")
def test_a_worker_that_does_not_follow_is_an_error(
    run: Run, two_nodes: list[Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in two_nodes:
        one.tell(datetime.now(UTC))
    two_nodes[0].start()  # the other is stuck
    follow = proof.follow
    monkeypatch.setattr(proof, "follow", lambda engine: follow(engine, seconds=1.0))
    done = run("kill", *WHO, "--wait")
    assert done.exit_code == 1
    assert "1 of 2 workers have it" in done.output


@pytest.mark.usefixtures("quick")
def test_a_worker_that_falls_silent_meanwhile_is_not_one_fewer_to_wait_for(
    run: Run, two_nodes: list[Presence], monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in two_nodes:
        one.tell(datetime.now(UTC))
    two_nodes[0].start()  # the other is stuck, and soon no longer counted
    monkeypatch.setattr(workers, "ALIVE_S", 1.0)
    monkeypatch.setattr(workers, "BEAT_S", 0.2)
    done = run("kill", *WHO, "--wait")
    assert done.exit_code == 1
    assert "1 of 2 workers have it; silent since, and unknown: 1 on" in done.output


def test_a_worker_that_ends_is_there_no_longer(url: str, two_nodes: list[Presence]) -> None:
    engine = database.connect(url, durable=True, connections=1)
    for one in two_nodes:
        one.tell(datetime.now(UTC))
    assert len(workers.alive(engine, datetime.now(UTC))) == 2
    two_nodes[0].close()
    assert len(workers.alive(engine, datetime.now(UTC))) == 1
    engine.dispose()


def test_the_digest_is_of_what_is_switched_and_not_of_the_order() -> None:
    one = switches.Switch("mode", switches.SwitchScope("a"), "off")
    two = switches.Switch("kill", switches.SwitchScope(), "killed")
    assert workers.digest((one, two)) == workers.digest((two, one)) != workers.digest((one,))


def test_presence_costs_one_thread_that_ends(two_nodes: list[Presence]) -> None:
    before = threading.active_count()
    two_nodes[0].start()
    two_nodes[0].close()
    assert threading.active_count() == before


def test_tenants_are_told_with_the_workers_that_have_their_files(run: Run, url: str, tmp_path: Path) -> None:
    folder = a_tenant_file(tmp_path / "tenants")
    listed = TenantFolder(folder).read()
    engine = database.connect(url, durable=True, connections=1)
    presence = Presence(engine, SwitchReader(engine))
    for files, code, told in (("another", 1, "in force in 0 of 1 workers"), (listed.digest, 0, "1 of 1 workers")):
        presence.serves(["general-hospital"], files)
        presence.tell(datetime.now(UTC))
        done = run("tenants", "--tenants", str(folder))
        assert (done.exit_code, told in done.output) == (code, True), done.output
    (folder / "tenant.yaml").write_text("id: 7", encoding="utf-8")
    refused = run("tenants", "--tenants", str(folder))
    assert (refused.exit_code, "tenant.yaml:" in refused.output) == (1, True)
    engine.dispose()
