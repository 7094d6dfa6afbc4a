"""Two versions side by side under load: a newer schema that only adds stops no older node, and the way back is open.

The newer version is made from this checkout: the same code, with a migration that adds a column and a table, and one
that takes a column away. So both sides are real checkouts of the package, each with its own migrations.
"""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from cds_service.records import database
from tests.cds_service.records import postgres
from tests.end_to_end import checkouts
from tests.end_to_end.checkouts import AFTER, NEXT, ROOT, of, run
from tests.end_to_end.nodes import Node, callers, command, node, until, variables

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkouts of the two versions to come."""
    return checkouts.made(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.server() as folder, postgres.database(folder) as made:
        yield made


def count(url: str, table: str) -> int:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)
    engine.dispose()
    return found


class Load:
    """Calls and feedback to whichever nodes are there, and what became of them."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes = list(nodes)
        self.calls: Counter[int] = Counter()
        self.feedback = 0
        self.under_way: Counter[str] = Counter()
        self._turn = 0
        self._lock = threading.Lock()

    def once(self) -> None:
        with self._lock:
            self._turn += 1
            one = self.nodes[self._turn % len(self.nodes)]
            self.under_way[one.url] += 1
        try:
            self._call(one)
        finally:
            with self._lock:
                self.under_way[one.url] -= 1

    def _call(self, one: Node) -> None:
        answer = one.call()
        with self._lock:
            self.calls[answer.status_code] += 1
        cards = answer.json()["cards"] if answer.status_code == 200 else ()
        if cards and one.feedback(cards[0]["uuid"]).status_code == 200:
            with self._lock:
                self.feedback += 1


def test_an_upgrade_and_the_way_back_lose_nothing_under_load(
    tmp_path: Path, versions: dict[str, Path], url: str
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    with node(old, url, CDS_MIGRATE_AT_START="true", **of(ROOT)) as first:
        load = Load(first)
        with callers(2, load.once):
            assert until(lambda: load.calls[200] > 20, 30)
            migrated = run(versions[NEXT], url, "record", "migrate")
            assert migrated.returncode == 0, migrated.stderr
            assert first.ask("/readyz").status_code == 200, "an old node goes on with a schema that only added"
            with node(new, url, CDS_MIGRATE_AT_START="false", **of(versions[NEXT])) as second:
                load.nodes.append(second)
                environment = Path(f"/proc/{second.master.pid}/environ").read_bytes()
                assert f"PYTHONPATH={versions[NEXT]}".encode() in environment
                seen = load.calls[200]
                assert until(lambda: load.calls[200] > seen + 40, 30)
                assert {one.ask("/readyz").status_code for one in load.nodes} == {200}
                load.nodes.remove(second)
                assert until(lambda: load.under_way[second.url] == 0, 20), "nobody is sent there any more"
            back = run(versions[NEXT], url, "record", "migrate", "--to", database.REVISION)
            assert back.returncode == 0, back.stderr
            seen = load.calls[200]
            assert until(lambda: load.calls[200] > seen + 20, 30)
        assert set(load.calls) == {200}
    assert count(url, "evaluation WHERE status = 200") == load.calls[200]
    assert count(url, "feedback") == load.feedback > 20
    assert count(url, "loss") == 0


def test_an_old_node_starts_on_a_newer_schema_that_serves_it_and_says_why_not_on_one_that_does_not(
    tmp_path: Path, versions: dict[str, Path], url: str
) -> None:
    assert run(versions[NEXT], url, "record", "migrate").returncode == 0
    with node(tmp_path, url, **of(ROOT)) as one:
        assert one.call().status_code == 200
        assert run(versions[AFTER], url, "record", "migrate").returncode == 0
        assert until(lambda: one.ask("/readyz").status_code == 503, 10)
        assert "serves no version older than 9001" in one.ask("/readyz").text
    refused = subprocess.run(
        command(tmp_path, 8000), env=variables(tmp_path, url, **of(ROOT)), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "serves no version older than 9001" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert run(versions[AFTER], url, "record", "migrate", "--to", NEXT).returncode == 0
    assert run(ROOT, url, "check").returncode == 0


def test_every_start_refuses_a_database_that_no_job_has_migrated(tmp_path: Path, url: str) -> None:
    environment = variables(tmp_path, url, CDS_MIGRATE_AT_START="false")
    refused = subprocess.run(
        command(tmp_path, 8000), env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode != 0
    assert "cds-service record migrate" in refused.stderr
    assert "Traceback" not in refused.stderr
