"""What nodes have in common beside the record: a card's uuid while its row is being written, and a tenant's calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
# Only adds: see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"


def upgrade() -> None:
    """Forward, data kept."""
    op.create_table(
        "shown_card",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("card_uuid", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_shown_card"),
    )
    op.create_index("ix_shown_card_expires_at", "shown_card", ["expires_at"], unique=False)
    op.create_table(
        "allowance",
        sa.Column("tenant_id", sa.String(length=64), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.Float(), nullable=False),
        sa.Column("given", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_allowance"),
    )


def downgrade() -> None:
    """Back to nodes that know of each other's cards once they are written, and count calls each for itself."""
    op.drop_table("allowance")
    op.drop_table("shown_card")
