"""How a database is named: no password is ever told, and what cannot be used is refused in one sentence."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

import pytest
import sqlalchemy
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.records import database, migrate
from cds_service.records.database import DatabaseError
from tests.cds_service.records import postgres

pytestmark = pytest.mark.usefixtures("made_anew")

SECRET = "hunter2"
URLS = [
    f"postgresql://risk:{SECRET}@db.example.org:5432/record",
    f"postgresql://risk:{SECRET}/{SECRET}@db.example.org/record",
    f"postgresql://risk:{SECRET}@{SECRET}@db.example.org/record",
    f"postgresql://risk:{SECRET}?{SECRET}@db.example.org/record",
    f"postgresql://risk:{SECRET}#{SECRET}:{SECRET}@db.example.org/record",
    f"postgresql://risk:@{SECRET}@db.example.org/record",
    f"postgresql://db.example.org/record?user=risk&password={SECRET}&sslpassword={SECRET}",
    f"postgres://risk:{SECRET}@/record?host=/run/postgresql",
    f"postgresql://risk:{SECRET}@[::1]:5432/record",
    f"postgresql://risk:{SECRET}@db.example.org:port/record",
]


@pytest.mark.parametrize("url", URLS)
def test_no_password_is_told_whatever_stands_in_it(url: str) -> None:
    told = database.safe(url)
    assert SECRET not in told


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("url", [*URLS, f"mysql://risk:{SECRET}@db.example.org/record", f"{SECRET}"])
@pytest.mark.parametrize("command", [["serve", "--demo", "--bind", "127.0.0.1:0"], ["record", "migrate"], ["check"]])
def test_a_database_that_cannot_be_used_is_told_in_words_without_its_password(
    url: str, command: list[str], tmp_path: Path
) -> None:
    if url.startswith("postgres") and "db.example.org" in url:
        url = url.replace("db.example.org", "127.0.0.1").replace(":5432", ":1")
    environment = {"DATABASE_URL": url, "CDS_STATE_DIRECTORY": str(tmp_path)}
    run = CliRunner().invoke(main, command, env=environment)
    assert run.exit_code == 1
    assert SECRET not in run.output
    assert "Traceback" not in run.output
    assert "OperationalError" not in run.output
    assert isinstance(run.exception, SystemExit)


def test_where_the_database_is_is_still_told() -> None:
    assert database.safe("postgres://risk:x@db.example.org:5432/record") == (
        "postgresql+psycopg://risk:***@db.example.org:5432/record"
    )
    assert database.safe("postgresql://risk@/record?host=/run/pg") == "postgresql+psycopg://risk@/record?host=/run/pg"


def test_another_kind_of_database_is_refused_in_one_sentence() -> None:
    with pytest.raises(DatabaseError, match="sqlite://… or postgresql"):
        database.connect("mysql://risk:x@db.example.org/record", durable=True, connections=1)


def test_an_at_sign_in_a_password_is_told_how_to_write() -> None:
    with pytest.raises(DatabaseError, match="%40") as told:
        database.connect(f"postgresql://risk:{SECRET}@{SECRET}@127.0.0.1/record", durable=True, connections=1)
    assert SECRET not in str(told.value)


def checked(url: str) -> tuple[int, str]:
    run = CliRunner().invoke(main, ["check"], env={"DATABASE_URL": url})
    lines = [line for line in run.output.splitlines() if "database:" in line]
    return run.exit_code, "\n".join(lines)


def test_check_says_of_the_database_that_it_is_there_at_which_revision_writable_and_how_large(url: str):
    code, told = checked(url)
    assert code == 0
    assert f"revision {database.REVISION}, writable, " in told
    engine = database.connect(url, durable=True, connections=1)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM loss").scalar() == 0
    engine.dispose()


def test_check_fails_where_the_database_is_of_another_version(url: str):
    engine = database.connect(url, durable=True, connections=1)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("UPDATE schema_reader SET oldest = '9999'")
    engine.dispose()
    code, told = checked(url)
    assert code == 1
    assert "revision 9999" in told


def test_check_makes_no_database(tmp_path: Path):
    code, told = checked(f"sqlite:///{tmp_path}/absent.sqlite3")
    assert (code, "the first start makes it" in told) == (0, True)
    assert list(tmp_path.iterdir()) == []
    code, told = checked(f"sqlite:///{tmp_path}/nowhere/absent.sqlite3")
    assert (code, "no such folder" in told) == (1, True)


@pytest.mark.end_to_end
def test_check_fails_where_the_database_may_not_be_written(postgres_folder: str):
    with postgres.database(postgres_folder) as url:
        migrate.upgrade(url)
        engine = database.connect(url, durable=True, connections=1)
        with engine.begin() as connection:
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        engine.dispose()
        code, told = checked(url)
        assert (code, "it is read-only" in told) == (1, True)


def listening() -> socket.socket:
    """Somebody who takes connections and never says anything."""
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    return silent


@pytest.mark.end_to_end
def test_why_a_start_cannot_use_the_database_is_told_each_in_its_own_words(postgres_folder: str, tmp_path: Path):
    with postgres.database(postgres_folder) as url, listening() as silent:
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {(locked := f'locked_{uuid.uuid4().hex[:8]}')} NOLOGIN")
        engine.dispose()
        told = {
            url.replace("surgical@", "stranger@"): "it knows no user of this name",
            url.replace("surgical@", f"{locked}@"): "this user may not sign in",
            f"postgresql://surgical@/absent?host={postgres_folder}": "there is no database of this name",
            f"postgresql://surgical@/x?host={tmp_path}": "there is no socket of it in this folder",
            "postgresql://u:hunter2@127.0.0.1:1/x": "nothing listens there",
            "postgresql://u:hunter2@nowhere.invalid/x": "nobody knows its host name",
            f"postgresql://u:hunter2@127.0.0.1:{silent.getsockname()[1]}/x": "it did not answer in time",
            f"{url}&sslmode=bogus": "an sslmode that there is not",
            f"{url}&colour=red": "a parameter that there is not",
            f"sqlite:///{tmp_path}/nowhere/r.sqlite3": "there is no such folder",
            f"sqlite:///{a_text(tmp_path)}": "the file is no SQLite database",
        }
        for wrong, words in told.items():
            run = CliRunner().invoke(main, ["record", "migrate"], env={"DATABASE_URL": wrong})
            assert run.exit_code == 1
            assert words in run.output, (wrong, run.output)
            assert "Traceback" not in run.output
            assert "hunter2" not in run.output


def a_text(folder: Path) -> Path:
    (folder / "a.txt").write_text("no database " * 100)
    return folder / "a.txt"
