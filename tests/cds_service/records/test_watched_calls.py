"""The record read week by week, on every database: all that was written, once, with its outcomes and cards."""

from __future__ import annotations

from cds_service.monitoring import reading
from cds_service.records import database
from tests.cds_service.monitoring import a_random_record
from tests.cds_service.monitoring.a_random_record import HORIZONS, TENANT, UNTIL
from tests.cds_service.monitoring.whole_reading import Whole


def test_a_record_read_by_weeks_is_the_whole_record(url: str) -> None:
    engine = database.connect(url, durable=True, connections=2)
    try:
        a_random_record.refill(engine, 4)
        found = reading.weekly_reading(engine, TENANT, today=UNTIL, horizons=HORIZONS, zone=None)
        whole = Whole(engine, TENANT, found.over, HORIZONS)
        assert found.outcomes.standings() == whole.standings(UNTIL)
        assert (found.calls, found.operations) == (len(whole.rows), len(whole.planned))
        streams = {(one.figure, one.label): one.streams for one in found.series()}
        for key, weeks in whole.counted().items():
            if key in streams:
                assert streams[key].totals[0].nonzero()[0].tolist() == sorted(weeks), key
    finally:
        engine.dispose()
