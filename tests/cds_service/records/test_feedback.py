"""Feedback: committed before it is acknowledged, each item once, and never joined across tenants."""

import msgspec
import pytest
from sqlalchemy import func, select

from cds_service.records import tables
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from tests.cds_service.records.rows_of import NOON, SENDER, a_feedback, an_evaluation


def kept(records: Records) -> int:
    with records.durable.connect() as connection:
        return connection.execute(select(func.count()).select_from(tables.feedback)).scalar()


def test_the_same_item_again_is_kept_once_and_a_later_one_of_the_same_card_too(records):
    item = a_feedback()
    assert records.store_feedback([item, item], SENDER, received_at=NOON) == 1
    assert records.store_feedback([item], SENDER, received_at=NOON) == 0
    later = msgspec.structs.replace(item, outcome="accepted", accepted_suggestions=("s-1",))
    assert records.store_feedback([later], SENDER, received_at=NOON) == 1
    assert kept(records) == 2


def test_the_same_item_from_another_tenant_is_that_tenants_own(records):
    item = a_feedback()
    records.store_feedback([item], SENDER, received_at=NOON)
    assert records.store_feedback([item], msgspec.structs.replace(SENDER, tenant_id="other"), received_at=NOON) == 1


def test_feedback_of_an_unknown_card_is_kept(records):
    assert records.store_feedback([a_feedback(card="123456")], SENDER, received_at=NOON) == 1


@pytest.mark.parametrize("outcome", ["accepted", "overridden"])
def test_a_card_is_answered_by_feedback_of_its_own_tenant_only(records, outcome):
    row = an_evaluation(dedupe_key="k")
    records.write_evaluation(row)
    records.flush(5)
    told = a_feedback(card=row.cards[0].uuid, outcome=outcome)
    records.store_feedback([told], msgspec.structs.replace(SENDER, tenant_id="other"), received_at=NOON)
    assert not records.last_shown(row.tenant_id, "k", since=NOON).answered
    records.store_feedback([told], SENDER, received_at=NOON)
    assert records.last_shown(row.tenant_id, "k", since=NOON).answered


def test_a_comment_is_cut_and_holds_no_null_character(records):
    records.store_feedback([a_feedback(comment="\x00" + "x" * 5000)], SENDER, received_at=NOON)
    with records.durable.connect() as connection:
        comment = connection.execute(select(tables.feedback.c.comment)).scalar()
    assert len(comment) == 1000
    assert "\x00" not in comment


def test_all_or_nothing_is_committed_and_a_failure_is_told(records):
    broken = a_feedback(outcome_at=NOON.replace(tzinfo=None))
    with pytest.raises(DatabaseError):
        records.store_feedback([a_feedback(), broken], SENDER, received_at=NOON)
    assert kept(records) == 0


def test_twice_the_same_suggestion_in_one_item_is_one(records):
    item = a_feedback(outcome="accepted", accepted_suggestions=("s-1", "s-1"))
    assert records.store_feedback([item], SENDER, received_at=NOON) == 1
