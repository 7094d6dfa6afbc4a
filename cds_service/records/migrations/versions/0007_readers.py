"""Which versions of this service may use the database as it is: the oldest, by the revision it was made for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
# The oldest revision whose code can use the database after this step; see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"


def upgrade() -> None:
    """Forward, data kept."""
    op.create_table("schema_reader", sa.Column("oldest", sa.String(length=32), nullable=False))


def downgrade() -> None:
    """Back to a database that serves one version alone."""
    op.drop_table("schema_reader")
