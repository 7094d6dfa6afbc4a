"""The record: evaluations are written behind the answer and read back whole, and what is lost is counted."""

import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from cds_service.records import records as recorded
from cds_service.records import tables
from cds_service.records.recent import Recent
from cds_service.records.records import Records
from cds_service.trust import time_ordered_id
from tests.cds_service.records.rows_of import NOON, a_card, an_evaluation


def count(records: Records, table) -> int:
    with records.durable.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar()


@pytest.fixture
def waits_long(monkeypatch):
    """Whatever stops this machine meanwhile."""
    monkeypatch.setattr(recorded, "READ_OWN_WRITES_S", 20.0)


@pytest.mark.usefixtures("waits_long")
def test_an_evaluation_is_read_back_as_it_was_written(records):
    row = an_evaluation()
    records.write_evaluation(row)
    assert records.evaluation(row.id) == row
    assert records.evaluation("unknown") is None


def test_another_worker_reads_it_too(open_records):
    one, two = open_records(), open_records()
    row = an_evaluation(cards=())
    one.write_evaluation(row)
    assert one.flush(5)
    assert two.evaluation(row.id) == row


@pytest.mark.usefixtures("waits_long")
def test_what_another_worker_is_still_writing_is_waited_for(open_records):
    """A click on the card just shown reaches whichever worker is free, perhaps before the row is written."""
    one, two = open_records(), open_records()
    row = an_evaluation(id=time_ordered_id.draw(), received_at=datetime.now(UTC), cards=())
    late = threading.Timer(0.3, one.write_evaluation, [row])
    late.start()
    assert two.evaluation(row.id) == row
    late.join()


@pytest.mark.usefixtures("waits_long")
def test_what_never_was_is_not_waited_for_long(records):
    begun = time.monotonic()
    assert records.evaluation(time_ordered_id.draw(datetime.now(UTC) - timedelta(minutes=5))) is None
    assert time.monotonic() - begun < recorded.READ_OWN_WRITES_S


def test_closing_in_order_writes_everything_that_was_queued(open_records):
    records = open_records()
    for _ in range(500):
        records.write_evaluation(an_evaluation())
    records.close()
    assert count(open_records(), tables.evaluation) == 500


def test_a_row_the_database_refuses_is_lost_alone_and_counted(records):
    twice = an_evaluation()
    for row in (an_evaluation(), twice, twice, an_evaluation()):
        records.write_evaluation(row)
    assert records.flush(5)
    assert count(records, tables.evaluation) == 3
    with records.durable.connect() as connection:
        assert connection.execute(select(tables.loss.c.evaluations, tables.loss.c.cause)).all() == [(1, "refused")]


@pytest.mark.usefixtures("waits_long")
def test_text_from_the_wire_is_cut_to_its_column_and_never_loses_the_row(records):
    row = an_evaluation(patient_id="p" * 5000, hook_instance="\x00" + "é" * 300, user_reference="Practitioner/\x00")
    records.write_evaluation(row)
    found = records.evaluation(row.id)
    assert (len(found.patient_id), len(found.hook_instance)) == (256, 128)


def test_a_full_queue_never_waits_and_counts_what_it_lost(url, tmp_path):
    told = []
    records = Records(url, folder=tmp_path, connections=2, counted=lambda what, rows: told.append((what, rows)))
    with records.durable.begin() as connection:
        connection.execute(tables.loss.insert().values(noticed_at=NOON, evaluations=0, cause="lock"))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE evaluation IN ACCESS EXCLUSIVE MODE")
        for _ in range(2_500):
            records.write_evaluation(an_evaluation(cards=()))
    assert records.flush(20)
    lost = sum(rows for what, rows in told if what == "lost")
    assert lost >= 250
    assert count(records, tables.evaluation) == 2_500 - lost
    with records.durable.connect() as connection:
        noted = select(func.sum(tables.loss.c.evaluations)).where(tables.loss.c.cause == "queue-full")
        assert connection.execute(noted).scalar() == lost
    records.close()


def test_the_record_is_ready_only_at_its_own_schema(records):
    assert records.unready() is None
    with records.durable.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        connection.exec_driver_sql("UPDATE schema_reader SET oldest = '9999'")
    assert "9999" in records.unready()


def test_the_last_shown_card_is_found_before_and_after_it_is_written(records):
    key = "k" * 64
    records.write_evaluation(an_evaluation(dedupe_key=key, cards=(a_card(shown=False),)))
    row = an_evaluation(dedupe_key=key)
    records.write_evaluation(row)
    assert records.last_shown(row.tenant_id, key, since=NOON).card == row.cards[0].uuid
    records.flush(5)
    records._recent = Recent()
    shown = records.last_shown(row.tenant_id, key, since=NOON)
    assert (shown.card, shown.answered) == (row.cards[0].uuid, False)
    assert records.last_shown("another-hospital", key, since=NOON) is None
    assert records.last_shown(row.tenant_id, key, since=NOON.replace(hour=13)) is None


def test_a_naive_instant_is_refused(records):
    row = msgspec.structs.replace(an_evaluation(), received_at=NOON.replace(tzinfo=None))
    with pytest.raises(ValueError, match="time zone"):
        tables.Instant().process_bind_param(row.received_at, records.durable.dialect)
