"""Which tenant files each worker holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward, data kept; only adds."""
    op.add_column("worker", sa.Column("tenant_files", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Back to workers that do not say it."""
    op.drop_column("worker", "tenant_files")
