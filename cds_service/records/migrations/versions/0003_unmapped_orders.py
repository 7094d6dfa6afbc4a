"""The codes of orders that are in no procedure group, with the evaluation that said nothing about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward, data kept."""
    op.add_column("evaluation", sa.Column("unmapped", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back to evaluations that do not say which code was unknown."""
    with op.batch_alter_table("evaluation") as table:
        table.drop_column("unmapped")
