"""The record as first kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


# SQLite numbers rows by itself only in INTEGER columns.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = (
    "administration",
    "evaluation",
    "feedback",
    "loss",
    "outcome",
    "switch",
    "used_token",
    "accepted_suggestion",
    "card",
    "suggestion",
)


def upgrade() -> None:
    """Forward, data kept: tables that others refer to come first."""
    _administration()
    _evaluation()
    _feedback()
    _loss()
    _outcome()
    _switch()
    _used_token()
    _accepted_suggestion()
    _card()
    _suggestion()


def downgrade() -> None:
    """Back: tables that refer to others go first, each with its indexes."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _administration() -> None:
    """Who switched what, when and why."""
    op.create_table(
        "administration",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=256), nullable=False),
        sa.Column("value", sa.String(length=32), nullable=False),
        sa.Column("done_by", sa.String(length=128), nullable=False),
        sa.Column("approved_by", sa.String(length=128), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_administration"),
    )


def _evaluation() -> None:
    """One row per call of the service."""
    op.create_table(
        "evaluation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issuer", sa.String(length=512), nullable=True),
        sa.Column("hook", sa.String(length=64), nullable=False),
        sa.Column("hook_instance", sa.String(length=128), nullable=False),
        sa.Column("user_reference", sa.String(length=256), nullable=True),
        sa.Column("patient_id", sa.String(length=256), nullable=True),
        sa.Column("encounter_id", sa.String(length=256), nullable=True),
        sa.Column("order_reference", sa.String(length=256), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("mode", sa.String(length=16), nullable=True),
        sa.Column("procedure_group", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("band", sa.String(length=32), nullable=True),
        sa.Column("dedupe_key", sa.String(length=64), nullable=True),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Text(), nullable=False),
        sa.Column("total_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
    )
    op.create_index("ix_evaluation_dedupe", "evaluation", ["tenant_id", "dedupe_key"], unique=False)
    op.create_index("ix_evaluation_tenant_received", "evaluation", ["tenant_id", "received_at"], unique=False)


def _feedback() -> None:
    """What became of a card."""
    op.create_table(
        "feedback",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issuer", sa.String(length=512), nullable=True),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("card_uuid", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_code", sa.String(length=128), nullable=True),
        sa.Column("reason_system", sa.String(length=256), nullable=True),
        sa.Column("reason_display", sa.String(length=256), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("comment_redacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_card", "feedback", ["tenant_id", "card_uuid"], unique=False)
    op.create_index("ix_feedback_once", "feedback", ["tenant_id", "digest"], unique=True)


def _loss() -> None:
    """How many evaluations have no row."""
    op.create_table(
        "loss",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evaluations", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loss"),
    )


def _outcome() -> None:
    """What happened to the patient."""
    op.create_table(
        "outcome",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("evaluation_id", sa.String(length=36), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("occurred", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "evaluation_id", "outcome", name="pk_outcome"),
    )


def _switch() -> None:
    """Modes and kill switches in force."""
    op.create_table(
        "switch",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("hook", sa.String(length=64), nullable=False),
        sa.Column("procedure_group", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "tenant_id", "hook", "procedure_group", name="pk_switch"),
    )


def _used_token() -> None:
    """Which client tokens were used."""
    op.create_table(
        "used_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_used_token"),
    )
    op.create_index("ix_used_token_expires_at", "used_token", ["expires_at"], unique=False)


def _accepted_suggestion() -> None:
    """Suggestions accepted, by feedback."""
    op.create_table(
        "accepted_suggestion",
        sa.Column("feedback_id", _NUMBER, nullable=False),
        sa.Column("suggestion_uuid", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedback_id"], ["feedback.id"], name="fk_accepted_suggestion_feedback_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feedback_id", "suggestion_uuid", name="pk_accepted_suggestion"),
    )


def _card() -> None:
    """Cards, shown or withheld."""
    op.create_table(
        "card",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("evaluation_id", sa.String(length=36), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("indicator", sa.String(length=16), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=True),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name="fk_card_evaluation_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("uuid", name="pk_card"),
    )
    op.create_index("ix_card_evaluation_id", "card", ["evaluation_id"], unique=False)


def _suggestion() -> None:
    """Suggestions of a card, by catalogue row."""
    op.create_table(
        "suggestion",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("card_uuid", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["card_uuid"], ["card.uuid"], name="fk_suggestion_card_uuid", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("uuid", name="pk_suggestion"),
    )
    op.create_index("ix_suggestion_card_uuid", "suggestion", ["card_uuid"], unique=False)
