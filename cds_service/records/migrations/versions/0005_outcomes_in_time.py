"""When an outcome occurred, through which day the patient was followed, and the day of the operation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
_DAYS = ("occurred_on", "observed_through", "operated_on")


def upgrade() -> None:
    """Forward, data kept: what is there already stays undated."""
    for name in _DAYS:
        op.add_column("outcome", sa.Column(name, sa.Date(), nullable=True))


def downgrade() -> None:
    """Back to outcomes without days."""
    with op.batch_alter_table("outcome") as table:
        for name in _DAYS:
            table.drop_column(name)
