"""The tables of the record. Only the columns that docs/security.md lists may hold what identifies a patient."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An instant in UTC: aware in Python, `timestamptz` in PostgreSQL, ISO text without zone in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive instant is refused, for nobody knows when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Aware again."""
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


evaluation = Table(
    "evaluation",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("issuer", String(512)),
    Column("hook", String(64), nullable=False),
    Column("hook_instance", String(128), nullable=False),
    Column("user_reference", String(256)),
    Column("patient_id", String(256)),
    Column("encounter_id", String(256)),
    Column("order_reference", String(256)),
    Column("status", Integer, nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason", String(64)),
    Column("mode", String(16)),
    Column("procedure_group", String(64)),
    Column("outcome", String(64)),
    Column("probability", Float),
    Column("band", String(32)),
    Column("dedupe_key", String(64)),
    Column("models", Text, nullable=False),
    Column("inputs", Text, nullable=False),
    Column("result", Text),
    Column("milliseconds", Text, nullable=False),
    Column("total_ms", Float, nullable=False),
    Column("unmapped", Text),
    Index("ix_evaluation_tenant_received", "tenant_id", "received_at"),
    Index("ix_evaluation_dedupe", "tenant_id", "dedupe_key"),
)

card = Table(
    "card",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("evaluation_id", String(36), ForeignKey("evaluation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("tenant_id", String(64), nullable=False),
    Column("indicator", String(16), nullable=False),
    Column("topic", String(100)),
    Column("shown", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
)

suggestion = Table(
    "suggestion",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("card_uuid", String(36), ForeignKey("card.uuid", ondelete="CASCADE"), nullable=False, index=True),
    Column("rule", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("tenant_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("issuer", String(512)),
    Column("service_id", String(64), nullable=False),
    Column("card_uuid", String(128), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("outcome_at", Instant, nullable=False),
    Column("reason_code", String(128)),
    Column("reason_system", String(256)),
    Column("reason_display", String(256)),
    Column("comment", Text),
    Column("comment_redacted_at", Instant),
    Index("ix_feedback_once", "tenant_id", "digest", unique=True),
    Index("ix_feedback_card", "tenant_id", "card_uuid"),
)

accepted_suggestion = Table(
    "accepted_suggestion",
    metadata,
    Column("feedback_id", ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("suggestion_uuid", String(128), primary_key=True),
)

outcome = Table(
    "outcome",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("evaluation_id", String(36), primary_key=True),
    Column("outcome", String(64), primary_key=True),
    Column("occurred", Boolean, nullable=False),
    Column("source", String(128), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("occurred_on", Date),
    Column("observed_through", Date),
    Column("operated_on", Date),
)

administration = Table(
    "administration",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("happened_at", Instant, nullable=False),
    Column("action", String(32), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("scope", String(256), nullable=False),
    Column("value", String(32), nullable=False),
    Column("done_by", String(128), nullable=False),
    Column("approved_by", String(128)),
    Column("reason", Text, nullable=False),
)

switch = Table(
    "switch",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("tenant_id", String(64), primary_key=True),
    Column("hook", String(64), primary_key=True),
    Column("procedure_group", String(64), primary_key=True),
    Column("value", String(16), nullable=False),
    Column("changed_at", Instant, nullable=False),
)

recalibration = Table(
    "recalibration",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("model", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("intercept", Float, nullable=False),
    Column("slope", Float, nullable=False),
    Column("covariance", Text, nullable=False),
    Column("peer_shift", Float),
    Column("n", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("state", String(16), nullable=False),
    Column("fitted_at", Instant, nullable=False),
    Column("fitted_by", String(128), nullable=False),
    Column("approved_at", Instant),
    Column("approved_by", String(128)),
    Column("retired_at", Instant),
    Index("ix_recalibration_number", "tenant_id", "model", "number", unique=True),
)

schema_reader = Table("schema_reader", metadata, Column("oldest", String(32), nullable=False))

worker = Table(
    "worker",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("host", String(128), nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("switches", String(64), nullable=False),
    Column("tenants", Text, nullable=False),
)

used_token = Table(
    "used_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# The uuid under which the same card stands, said by whoever was first (shown_cards.py).
shown_card = Table(
    "shown_card",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("card_uuid", String(36), nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# How many calls a tenant may still send (allowances.py); instants in seconds of the epoch.
allowance = Table(
    "allowance",
    metadata,
    Column("tenant_id", String(64), primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("filled_at", Float, nullable=False),
    Column("given", Float, nullable=False),
)

loss = Table(
    "loss",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("noticed_at", Instant, nullable=False),
    Column("evaluations", Integer, nullable=False),
    Column("cause", String(32), nullable=False),
)
