"""How far each Subscription that tells of operations was taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cds_service.records.tables import Instant

revision = "0010"
down_revision = "0009"
# Only adds: see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"


def upgrade() -> None:
    """Forward, data kept."""
    op.create_table(
        "during_position",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("ahead", sa.Text(), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("well_at", Instant(), nullable=False),
        sa.Column("heard_at", Instant(), nullable=True),
        sa.Column("ask_at", Instant(), nullable=True),
        sa.Column("asking_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "source", name="pk_during_position"),
    )


def downgrade() -> None:
    """Back to a record that knows of no Subscription."""
    op.drop_table("during_position")
