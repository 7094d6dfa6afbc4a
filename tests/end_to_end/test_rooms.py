"""Four operating rooms and a worker that is killed: what was acknowledged is kept, and is on the page in time."""

from __future__ import annotations

import pytest

from tests.cds_service.records import postgres
from tests.simulations import rooms_table
from tests.simulations.rooms import SIGNALS, percentile

pytestmark = pytest.mark.end_to_end
ROOMS, SECONDS = 4, 10
# docs/during.md tells what a quiet machine does; one that is busy with other tests is given more.
TOLERANCE = 2.0


@pytest.mark.parametrize("name", ["SQLite", "PostgreSQL"])
def test_no_value_is_lost_over_a_killed_worker_and_each_is_on_the_page_in_time(name: str) -> None:
    assert postgres.programs() is not None
    found = rooms_table.measured(ROOMS, SECONDS, name, past=30, alone_s=1.0)
    assert found.killed
    assert (found.unsent, found.lost) == (0, 0)
    assert found.acknowledged == ROOMS * SECONDS * len(SIGNALS)
    assert found.behind == 0
    assert len(found.page_s) >= ROOMS * SECONDS / 4
    assert percentile(found.to_page_s, 0.5) < 1.0 * TOLERANCE
    assert percentile(found.to_page_s, 0.95) < 2.0 * TOLERANCE
    before, after = found.memory_mb
    assert after - before < 100
