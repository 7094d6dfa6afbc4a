"""A node whose PostgreSQL stands behind PgBouncer in transaction mode: it boots, and refuses no call for it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import requests
import sqlalchemy

from cds_service.records import migrate
from tests.cds_service.records import postgres
from tests.end_to_end import nodes

pytestmark = pytest.mark.end_to_end


def test_every_call_is_answered_and_kept(tmp_path: Path) -> None:
    with postgres.server() as server, postgres.bouncer(server) as bouncer, postgres.database(server) as direct:
        url = postgres.at(bouncer, direct)
        migrate.upgrade(url)
        told: Counter[int] = Counter()
        with nodes.node(tmp_path, url) as node:

            def call() -> None:
                told[node.call(requests).status_code] += 1

            with nodes.callers(6, call):
                assert nodes.until(lambda: told.total() >= 300, 60)
        assert set(told) == {200}
        engine = sqlalchemy.create_engine(direct)
        with engine.connect() as connection:
            kept = connection.exec_driver_sql("SELECT count(*) FROM evaluation").scalar()
        engine.dispose()
    assert kept == told.total()
