"""How fast values of a case come, so that an operation on a later day of a stay is seen without its Procedure."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cds_service.records.tables import Instant

revision = "0012"
down_revision = "0011"
# Only adds: see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"
_COLUMNS = ("pace_since", "pace_values", "monitored_at")


def upgrade() -> None:
    """Forward, data kept."""
    op.add_column("during_case", sa.Column("pace_since", Instant(), nullable=True))
    op.add_column("during_case", sa.Column("pace_values", sa.Integer(), nullable=True))
    op.add_column("during_case", sa.Column("monitored_at", Instant(), nullable=True))


def downgrade() -> None:
    """Back to a record that does not know how fast values come."""
    for name in _COLUMNS:
        op.drop_column("during_case", name)
