"""An index of the few rows that say when a case began and ended, so that a call need not read its values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
# Only adds: see docs/operations.md, "Upgrade and back".
OLDEST_READER = "0007"
_NO_VALUE = sa.text("kind <> 'observation'")


def upgrade() -> None:
    """Forward, data kept."""
    op.create_index(
        "ix_during_entry_times", "during_entry", ["case_id"], sqlite_where=_NO_VALUE, postgresql_where=_NO_VALUE
    )


def downgrade() -> None:
    """Back to a record that reads all of a case."""
    op.drop_index("ix_during_entry_times", "during_entry")
