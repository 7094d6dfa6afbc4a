"""Cases of operations that run or have ended, what was recorded of them, and who sent it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cds_service.records.tables import Instant

revision = "0009"
down_revision = "0008"
# Only adds: see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"


def upgrade() -> None:
    """Forward, data kept."""
    op.create_table(
        "during_case",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=256), nullable=False),
        sa.Column("encounter_id", sa.String(length=256), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_during_case"),
    )
    op.create_index("ix_during_case_of", "during_case", ["tenant_id", "patient_id", "encounter_id"], unique=True)
    op.create_index("ix_during_case_encounter", "during_case", ["tenant_id", "encounter_id"], unique=False)
    op.create_table(
        "during_entry",
        _of_case(),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["during_case.id"], name="fk_during_entry_case_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "digest", name="pk_during_entry"),
    )
    _accounts()


def _accounts() -> None:
    op.create_table(
        "during_arrival",
        _of_case(),
        sa.Column("way", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=512), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["during_case.id"], name="fk_during_arrival_case_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "way", "issuer", name="pk_during_arrival"),
    )


def _of_case() -> sa.Column[str]:
    return sa.Column("case_id", sa.String(length=36), nullable=False)


def downgrade() -> None:
    """Back to a record that keeps nothing of an operation while and after it is done."""
    for table in ("during_arrival", "during_entry", "during_case"):
        op.drop_table(table)
