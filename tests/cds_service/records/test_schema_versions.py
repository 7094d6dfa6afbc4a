"""A database that a newer version made serves this one where that version says so, else it is refused in a sentence."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import insert

from cds_service.commands.cli import main
from cds_service.records import database, migrate, retention, tables, writer
from cds_service.records.database import DatabaseError
from tests.cds_service.records.rows_of import an_evaluation

pytestmark = pytest.mark.usefixtures("made_anew")

SCRIPTS = sorted(
    ScriptDirectory.from_config(migrate.configuration()).walk_revisions(), key=lambda script: script.revision
)
FIRST_WITH_READERS = "0007"
# What adds to a database and takes nothing from whoever uses it: the only steps after which older code may go on.
EXPANDS = {"add_column", "create_table", "create_index"}


def made_newer(url: str, oldest: str, revision: str = "9999") -> None:
    """As a newer version leaves it."""
    engine = database.connect(url, durable=True, connections=1)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        connection.exec_driver_sql(f"UPDATE schema_reader SET oldest = '{oldest}'")
    engine.dispose()


def why_not(url: str) -> str | None:
    engine = database.connect(url, durable=True, connections=1)
    try:
        return database.unlike(engine)
    finally:
        engine.dispose()


def told(url: str, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["record", *words, "--database", url])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_newer_database_that_says_so_serves_this_version(url: str) -> None:
    made_newer(url, database.REVISION)
    assert why_not(url) is None
    migrate.upgrade(url)
    code, words = told(url, "migrate")
    assert (code, "is at revision 9999, made by a newer version" in words) == (0, True)
    engine = database.connect(url, durable=True, connections=1)
    writer.write(engine, [an_evaluation()])
    engine.dispose()
    assert told(url, "export", "general-hospital")[0] == 0


def test_one_that_serves_newer_versions_alone_is_refused_with_the_way_back(url: str) -> None:
    made_newer(url, "9998")
    assert "revision 9999 and serves no version older than 9998" in (why_not(url) or "")
    with pytest.raises(DatabaseError, match=rf"record migrate --to {database.REVISION}"):
        migrate.upgrade(url)
    for words in (("migrate",), ("export", "general-hospital"), ("purge", "--tenants", ".")):
        code, output = told(url, *words)
        assert code != 0
        assert "Traceback" not in output


def test_an_older_one_is_migrated_and_an_empty_one_too(empty_url: str) -> None:
    assert "record migrate" in (why_not(empty_url) or "")
    migrate.upgrade(empty_url, "0005")
    assert "it is at revision 0005" in (why_not(empty_url) or "")
    assert told(empty_url, "migrate")[0] == 0
    assert why_not(empty_url) is None


def test_the_way_back_keeps_the_rows_and_says_where_it_cannot_lead(url: str) -> None:
    engine = database.connect(url, durable=True, connections=1)
    row = an_evaluation()
    writer.write(engine, [row])
    with engine.begin() as connection:
        happened = {"tenant_id": row.tenant_id, "evaluation_id": row.id, "outcome": "30-day-death", "occurred": False}
        connection.execute(insert(tables.outcome).values(**happened, source="register", recorded_at=row.received_at))
    assert told(url, "migrate", "--to", "0004")[0] == 0
    assert database.revision(engine) == "0004"
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM evaluation").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM outcome").scalar() == 1
    engine.dispose()
    code, words = told(url, "migrate", "--to", "8888")
    assert (code, "knows no revision 8888" in words) == (1, True)
    assert told(url, "migrate")[0] == 0
    assert why_not(url) is None


def test_the_whole_way_back_keeps_the_cards_of_what_was_answered(url: str) -> None:
    """SQLite copies a table that loses a column: what refers to its rows must not go with them."""
    engine = database.connect(url, durable=True, connections=1)
    writer.write(engine, [an_evaluation()])
    migrate.downgrade(url, "0001")
    with engine.connect() as connection:
        kept = [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in ("evaluation", "card")]
    assert kept == [1, 1]
    engine.dispose()
    migrate.upgrade(url)


def test_retention_works_on_the_oldest_schema_that_is_served(url: str) -> None:
    engine = database.connect(url, durable=True, connections=1)
    row = an_evaluation()
    writer.write(engine, [row])
    migrate.downgrade(url, database.SERVES_FROM)
    assert database.unlike(engine) is None
    assert retention.tenants_kept(engine) == (row.tenant_id,)
    later = row.received_at + timedelta(days=31)
    purged = retention.purge(engine, row.tenant_id, evaluation_days=30, comment_days=10, case_days=30, now=later)
    assert (purged.evaluations, purged.cases) == (1, 0)
    engine.dispose()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.revision)
def test_a_step_says_which_versions_may_use_the_database_after_it(script: object) -> None:
    """A step that older code survives only adds; one that takes away says that it serves newer code alone."""
    revision, path = script.revision, Path(script.path)  # type: ignore[attr-defined]
    assert re.fullmatch(r"\d{4}", revision), "revisions are compared as texts"
    if revision < FIRST_WITH_READERS:
        return
    oldest = script.module.OLDEST_READER  # type: ignore[attr-defined]
    assert oldest <= revision
    if oldest < revision:
        assert _steps(path) <= EXPANDS


def _steps(path: Path) -> set[str]:
    """The operations of `upgrade`; a new column that has to be filled is none that older code survives."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (upgrade,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    calls = [ast.unparse(node) for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    steps = [call for call in calls if call.startswith("op.")]
    must_be_filled = [
        call for call in steps if "add_column" in call and not re.search("nullable=True|server_def", call)
    ]
    return {re.split(r"[.(]", step)[1] for step in steps} | ({"filled by nobody"} if must_be_filled else set())
