"""`monitor`: a tenant that cannot be judged stops no other, and no tenant's page takes the place of another file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from cds_service.commands.cli import main
from cds_service.monitoring import prometheus
from cds_service.records import database, migrate, tables
from tests.cds_service.monitoring import a_record

METRICS = "surgical-risk-monitors.prom"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of three tenants; of `broken` a row is not what it should be."""
    folder = tmp_path_factory.mktemp("monitor")
    engine = a_record.written(folder, faults=False)
    table = tables.evaluation
    with engine.begin() as connection:
        for tenant, weeks in (("broken", "p-0-%"), ("index", "p-1-%")):
            connection.execute(update(table).where(table.c.patient_id.like(weeks)).values(tenant_id=tenant))
        connection.execute(update(table).where(table.c.tenant_id == "broken").values(models="not JSON"))
    engine.dispose()
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Result:
    options = (
        "--out",
        str(folder / "out"),
        "--database",
        f"sqlite:///{folder}/record.sqlite3",
        "--until",
        "2026-03-30",
    )
    return CliRunner().invoke(main, ["monitor", *options])


def test_a_tenant_that_cannot_be_judged_stops_no_other_and_the_exit_code_is_1(run: Result, folder: Path) -> None:
    assert run.exit_code == 1, run.output
    assert "not watched: broken" in run.output
    assert (folder / "out" / f"{a_record.TENANT}.html").exists()
    page = (folder / "out" / "index.html").read_text(encoding="utf-8")
    assert "not watched: " in page
    assert "All tenants" in page


def test_a_page_of_a_day_to_come_is_refused_and_one_of_a_day_that_is_over_is_no_run_of_now(
    folder: Path, tmp_path: Path
) -> None:
    options = ("--out", str(tmp_path / "out"), "--database", f"sqlite:///{folder}/record.sqlite3")
    ahead = CliRunner().invoke(main, ["monitor", a_record.TENANT, *options, "--until", "2999-01-01"])
    assert (ahead.exit_code, "nobody knows its outcomes" in ahead.output) == (2, True)
    assert not (tmp_path / "out").exists()
    engine = database.connect(f"sqlite:///{tmp_path}/empty.sqlite3", durable=True, connections=1)
    migrate.upgrade(f"sqlite:///{tmp_path}/empty.sqlite3")
    engine.dispose()
    for until, told in ((("--until", "2026-03-30"), False), ((), True)):
        words = ("--out", str(tmp_path / "out"), "--database", f"sqlite:///{tmp_path}/empty.sqlite3", *until)
        assert CliRunner().invoke(main, ["monitor", *words]).exit_code == 0
        assert (prometheus.RUN in (tmp_path / "out" / METRICS).read_text(encoding="utf-8")) is told


def test_a_tenant_called_index_has_a_page_of_its_own(run: Result, folder: Path) -> None:
    assert run.exception is not None
    assert "What is watched of index" in (folder / "out" / "index~.html").read_text(encoding="utf-8")
    assert 'href="index~.html"' in (folder / "out" / "index.html").read_text(encoding="utf-8")


def test_the_file_for_prometheus_is_whole_and_tells_no_run_that_left_a_tenant_out(run: Result, folder: Path) -> None:
    assert run.exception is not None
    told = (folder / "out" / METRICS).read_text(encoding="utf-8")
    assert f'{prometheus.ALARMS}{{tenant="{a_record.TENANT}"' in told
    assert prometheus.RUN not in told
    assert [path.name for path in (folder / "out").iterdir() if path.name.startswith(".")] == []
