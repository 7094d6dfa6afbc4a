"""Retention: the day before and the day after, one tenant at a time."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from cds_service.records import retention, tables
from tests.cds_service.records.rows_of import NOON, SENDER, a_feedback, an_evaluation


@pytest.mark.parametrize(("age_days", "deleted"), [(29, 0), (31, 1)])
def test_an_evaluation_goes_with_its_cards_and_suggestions_after_its_days(records, age_days, deleted):
    records.write_evaluation(an_evaluation(received_at=NOON - timedelta(days=age_days)))
    records.write_evaluation(an_evaluation(received_at=NOON - timedelta(days=age_days), tenant_id="other"))
    records.flush(5)
    purged = retention.purge(
        records.durable, "general-hospital", evaluation_days=30, comment_days=10, case_days=30, now=NOON
    )
    assert purged.evaluations == deleted
    with records.durable.connect() as connection:
        for table in (tables.evaluation, tables.card, tables.suggestion):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 2 - deleted


@pytest.mark.parametrize(("age_days", "left"), [(29, 1), (31, 0)])
def test_an_outcome_goes_with_its_evaluation_however_late_it_came(records, age_days, left):
    row = an_evaluation(received_at=NOON - timedelta(days=age_days))
    records.write_evaluation(row)
    records.flush(5)
    with records.durable.begin() as connection:
        values = {"evaluation_id": row.id, "outcome": "30-day-death", "occurred": False, "source": "s"}
        connection.execute(tables.outcome.insert().values(**values, tenant_id=row.tenant_id, recorded_at=NOON))
    retention.purge(records.durable, "general-hospital", evaluation_days=30, comment_days=10, case_days=30, now=NOON)
    with records.durable.connect() as connection:
        assert connection.execute(select(func.count()).select_from(tables.outcome)).scalar() == left


@pytest.mark.parametrize(("age_days", "redacted"), [(9, 0), (11, 1)])
def test_a_comment_is_redacted_after_its_days_and_the_feedback_stays(records, age_days, redacted):
    sent = NOON - timedelta(days=age_days)
    records.store_feedback([a_feedback(comment="free text")], SENDER, received_at=sent)
    other = msgspec.structs.replace(SENDER, tenant_id="other")
    records.store_feedback([a_feedback(comment="theirs")], other, received_at=sent)
    purged = retention.purge(
        records.durable, "general-hospital", evaluation_days=30, comment_days=10, case_days=30, now=NOON
    )
    assert (purged.comments, purged.feedback) == (redacted, 0)
    with records.durable.connect() as connection:
        comments = connection.execute(select(tables.feedback.c.comment).order_by(tables.feedback.c.id)).scalars().all()
        assert comments == [None if redacted else "free text", "theirs"]


def test_the_words_of_a_reason_are_redacted_with_the_comments_and_its_code_stays(records):
    told = {"reason_code": "patient-ineligible", "reason_system": "urn:why", "reason_display": "Mrs. Jones said no"}
    records.store_feedback([a_feedback(**told)], SENDER, received_at=NOON - timedelta(days=11))
    days = {"evaluation_days": 30, "comment_days": 10, "case_days": 30}
    assert retention.purge(records.durable, "general-hospital", **days, now=NOON).comments == 1
    assert retention.purge(records.durable, "general-hospital", **days, now=NOON).comments == 0
    with records.durable.connect() as connection:
        kept = connection.execute(select(tables.feedback.c.reason_code, tables.feedback.c.reason_display)).all()
    assert kept == [("patient-ineligible", None)]


def test_a_reason_in_words_is_told_as_one_and_its_words_are_in_no_code(records):
    told = {"reason_code": "Mrs. Jones said no", "reason_system": "urn:why?jones"}
    records.store_feedback([a_feedback(**told)], SENDER, received_at=NOON)
    with records.durable.connect() as connection:
        table = tables.feedback.c
        kept = connection.execute(select(table.reason_code, table.reason_system, table.reason_display)).all()
    assert kept == [("in-words", "?", "Mrs. Jones said no")]


def test_feedback_goes_with_the_evaluations_days(records):
    item = a_feedback(outcome="accepted", accepted_suggestions=("s",))
    records.store_feedback([item], SENDER, received_at=NOON - timedelta(days=31))
    purged = retention.purge(
        records.durable, "general-hospital", evaluation_days=30, comment_days=10, case_days=30, now=NOON
    )
    assert purged.feedback == 1
