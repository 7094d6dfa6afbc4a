"""A worker that uses a record, as the record knows it: without one a command that changes a service is refused."""

from __future__ import annotations

from datetime import UTC, datetime

from cds_service.records import database
from cds_service.records.switches import SwitchReader
from cds_service.records.workers import Presence


def a_worker_uses(url: str, *tenants: str, at: datetime | None = None) -> None:
    """Once, without a thread: it is there for ALIVE_S seconds, with the switches as they are now."""
    engine = database.connect(url, durable=True, connections=1)
    presence = Presence(engine, SwitchReader(engine))
    presence.serves(tenants, None)
    presence.tell(at or datetime.now(UTC))
    engine.dispose()
