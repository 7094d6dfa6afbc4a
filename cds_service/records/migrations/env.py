"""Alembic's entry: run the migrations on the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context

from cds_service.records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
