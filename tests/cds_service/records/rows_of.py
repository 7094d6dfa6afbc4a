"""Whole plausible rows; a test states only what it is about."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from cds_service.records.feedback import Sender
from cds_service.records.rows import CardRow, EvaluationRow, FeedbackItem, SuggestionRow

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SENDER = Sender("general-hospital", "https://ehr.example.org", "surgical-risk")


def an_evaluation(**members: Any) -> EvaluationRow:
    """An evaluation with one shown card of one suggestion."""
    return EvaluationRow(
        **{
            "id": str(uuid.uuid4()),
            "tenant_id": "general-hospital",
            "received_at": NOON,
            "issuer": "https://ehr.example.org",
            "hook": "order-select",
            "hook_instance": str(uuid.uuid4()),
            "user_reference": "Practitioner/7",
            "patient_id": "p-1",
            "status": 200,
            "decision": "card",
            "mode": "on",
            "procedure_group": "spine-fusion",
            "outcome": "30-day-death",
            "probability": 0.012,
            "band": "typical",
            "models": ({"model": "sort-2014", "version": "1.0.0", "status": "computed", "probability": 0.012},),
            "inputs": ({"name": "age", "status": "used"},),
            "result": {"assessmentId": "a"},
            "milliseconds": {"data": 0.2},
            "total_ms": 1.1,
            "cards": (a_card(),),
            **members,
        }
    )


def a_card(**members: Any) -> CardRow:
    suggestions = (SuggestionRow(str(uuid.uuid4()), "smoking-cessation"),)
    return CardRow(**{"uuid": str(uuid.uuid4()), "indicator": "info", "suggestions": suggestions, **members})


def a_feedback(**members: Any) -> FeedbackItem:
    return FeedbackItem(**{"card": str(uuid.uuid4()), "outcome": "overridden", "outcome_at": NOON, **members})
