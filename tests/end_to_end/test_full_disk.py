"""A disk that is full, really: what an account is kept on may fail for a while, and then no answer is given."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy

from tests.end_to_end.nodes import fill, metric, node, small, until

pytestmark = pytest.mark.end_to_end
GRACE_S = 4
# No token to remember: calls do not need the disk to be let in.
OPEN = {"clients": []}


def test_a_node_that_cannot_keep_an_account_says_so_and_after_a_while_gives_no_answer(tmp_path: Path) -> None:
    with (
        small(tmp_path / "disk", 4) as disk,
        node(tmp_path, f"sqlite:///{disk}/r.sqlite3", tenant=OPEN, CDS_RECORD_GRACE_S=str(GRACE_S)) as one,
    ):
        assert one.call().status_code == 200
        answered = 1
        filler = fill(disk)
        began = time.monotonic()
        statuses: list[int] = []
        while time.monotonic() - began < GRACE_S + 3:
            statuses.append(one.call().status_code)
            time.sleep(0.05)
        assert statuses[0] == 200
        assert statuses[-10:] == [503] * 10, "no account, no answer"
        ready = one.ask("/readyz")
        assert (ready.status_code, "Retry-After" in ready.headers) == (503, True)
        assert "the disk is full" in ready.json()["parts"]["record"]
        assert one.ask("/livez").status_code == 200
        assert metric(one, "surgical_risk_record_unwritten_seconds") >= GRACE_S
        assert any("the disk is full" in line["cause"] for line in one.lines("record-unwritten"))
        assert any("the disk is full" in line["cause"] for line in one.lines("refused"))
        answered += statuses.count(200)
        filler.unlink()
        assert until(lambda: one.ask("/readyz").status_code == 200 == one.call().status_code, 10)
        answered += one.call().status_code == 200
        time.sleep(1)
        engine = sqlalchemy.create_engine(f"sqlite:///{disk}/r.sqlite3")
        with engine.connect() as connection:
            told = "SELECT count(*) FROM evaluation WHERE decision = 'card'"
            assert connection.exec_driver_sql(told).scalar() >= answered, "every answer that was given has its row"
            assert connection.exec_driver_sql("SELECT count(*) FROM loss").scalar() == 0
        engine.dispose()
        assert one.lines("record-written-again")
