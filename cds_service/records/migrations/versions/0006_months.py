"""Evaluations, cards and suggestions in monthly partitions on PostgreSQL, so that a month is removed at once.

Only adds: a node of the version before goes on writing, for a card's instant has a default. What is there already is
not copied: it becomes the first partition. SQLite gets the column and stays as it is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
_KEYS = {
    "evaluation": "id, received_at",
    "card": "uuid, received_at",
    # The suggestion's own id is a digest: by its card's it is put at the end of the index.
    "suggestion": "card_uuid, uuid, received_at",
}
_KEYS_BEFORE = {"evaluation": "id", "card": "uuid", "suggestion": "uuid"}
_INDEXES = {
    "evaluation": ("ix_evaluation_dedupe", "ix_evaluation_tenant_received"),
    "card": ("ix_card_evaluation_id",),
    "suggestion": ("ix_suggestion_card_uuid",),
}
_REFERENCES = (
    ("card", "fk_card_evaluation_id", "evaluation_id", "evaluation (id)"),
    ("suggestion", "fk_suggestion_card_uuid", "card_uuid", "card (uuid)"),
)
_COLUMNS_OF_INDEXES = {
    "ix_evaluation_dedupe": ("tenant_id", "dedupe_key"),
    "ix_evaluation_tenant_received": ("tenant_id", "received_at"),
    "ix_card_evaluation_id": ("evaluation_id",),
    "ix_suggestion_card_uuid": ("card_uuid",),
}


def upgrade() -> None:
    """Forward, data kept."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    default = sa.text("now()") if is_postgresql else sa.text("'1970-01-01 00:00:00.000000'")
    for table in ("card", "suggestion"):
        column = sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=default)
        op.add_column(table, column)
    op.execute(
        "UPDATE card SET received_at = (SELECT evaluation.received_at FROM evaluation"
        " WHERE evaluation.id = card.evaluation_id)"
    )
    op.execute(
        "UPDATE suggestion SET received_at = (SELECT card.received_at FROM card WHERE card.uuid = suggestion.card_uuid)"
    )
    if is_postgresql:
        _divide()


def downgrade() -> None:
    """Back to one table each."""
    if op.get_bind().dialect.name == "postgresql":
        _unite()
    for table in ("suggestion", "card"):
        op.drop_column(table, "received_at")


def _divide() -> None:
    """What is there becomes the partition of all the time before next month, or before the month after its newest."""
    until = op.get_bind().scalar(
        sa.text(
            "SELECT date_trunc('month', greatest(now(), max(received_at)) AT TIME ZONE 'UTC') + interval '1 month'"
            " FROM evaluation"
        )
    )
    for table, name, *_ in _REFERENCES:
        op.drop_constraint(name, table)
    for table, key in _KEYS.items():
        before = f"{table}_before"
        op.execute(f"ALTER TABLE {table} RENAME TO {before}")
        op.execute(f"ALTER TABLE {before} DROP CONSTRAINT pk_{table}")
        for index in _INDEXES[table]:
            op.execute(f"ALTER INDEX {index} RENAME TO {index}_before")
        op.execute(f"CREATE TABLE {table} (LIKE {before} INCLUDING DEFAULTS) PARTITION BY RANGE (received_at)")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key})")
        _make_indexes(table)
        op.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
        bounds = f"FROM (MINVALUE) TO ('{until.isoformat()}+00')"
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {before} FOR VALUES {bounds}")


def _unite() -> None:
    for table, key in _KEYS_BEFORE.items():
        op.execute(f"ALTER TABLE {table} RENAME TO {table}_months")
        op.execute(f"ALTER TABLE {table}_months RENAME CONSTRAINT pk_{table} TO pk_{table}_months")
        for index in _INDEXES[table]:
            op.execute(f"ALTER INDEX {index} RENAME TO {index}_months")
        op.execute(f"CREATE TABLE {table} (LIKE {table}_months INCLUDING DEFAULTS)")
        op.execute(f"INSERT INTO {table} SELECT * FROM {table}_months")  # noqa: S608
        op.execute(f"DROP TABLE {table}_months")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({key})")
        _make_indexes(table)
    for table, name, column, target in _REFERENCES:
        # A node of the version before may have removed an evaluation that its cards then survived.
        parent, _, parent_key = target.rstrip(")").partition(" (")
        op.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT {parent_key} FROM {parent})")  # noqa: S608
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {target} ON DELETE CASCADE"
        )


def _make_indexes(table: str) -> None:
    for index in _INDEXES[table]:
        op.create_index(index, table, list(_COLUMNS_OF_INDEXES[index]), unique=False)
