"""What every call asks of the database through its driver: as safe as through SQLAlchemy, whatever happens to it."""

from collections.abc import Callable

import pytest

from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from tests.cds_service.records.rows_of import NOON, an_evaluation

Ask = Callable[[Records, int], object]
ROW = an_evaluation(dedupe_key="k")
ASKED: dict[str, tuple[str, Ask]] = {
    "was a token used": ("used_token", lambda of, n: of.used_tokens.first_use("t", "i", f"{n}", expires_at=9, now=1.0)),
    "was a card answered": ("feedback", lambda of, _: of.last_shown(ROW.tenant_id, "k", since=NOON)),
    "who showed it first": ("shown_card", lambda of, n: of.first_uuid("t", f"{n}", "a", now=1.0, keep_s=9.0)),
}
every = pytest.mark.parametrize(("table", "ask"), ASKED.values(), ids=ASKED)


@pytest.fixture
def shown(records: Records) -> Records:
    """A record in which a card was shown."""
    records.write_evaluation(ROW)
    assert records.flush(5)
    return records


@every
def test_without_its_table_it_says_that_nobody_can_tell(shown: Records, table: str, ask: Ask) -> None:
    with shown.durable.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone")
    for number in range(12):  # more than there are connections: none is kept from the pool
        with pytest.raises(DatabaseError):
            ask(shown, number)


@every
def test_a_connection_that_the_server_closed_fails_one_caller_and_no_more(shown: Records, table: str, ask: Ask) -> None:
    assert ask(shown, -1), table
    connection = shown.quick.raw_connection()
    below = connection.dbapi_connection
    connection.close()
    assert below is not None
    below.close()
    failed = 0
    for number in range(8):
        try:
            assert ask(shown, number)
        except DatabaseError:
            failed += 1
    assert failed <= 1


@every
def test_where_the_server_closed_every_connection_one_caller_fails_and_no_more(
    shown: Records, table: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the database: what was pooled is given up with the first that is found closed."""
    assert ask(shown, -1), table
    held = [shown.quick.raw_connection() for _ in range(2)]
    below = [one.dbapi_connection for one in held]
    for one in held:
        one.close()
    for each in below:
        assert each is not None
        each.close()
    if shown.quick.dialect.name == "sqlite":  # which has no server that could go away
        monkeypatch.setattr(shown.quick.dialect, "is_disconnect", lambda error, *_: "closed" in str(error))
    failed = 0
    for number in range(8):
        try:
            assert ask(shown, number)
        except DatabaseError:
            failed += 1
    assert failed <= 1
