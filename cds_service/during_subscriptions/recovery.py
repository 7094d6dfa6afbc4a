"""Sources are asked for what was missed, and searched time and again, by one worker of a deployment at a time.

Every source of a tenant has its row in the record (records/during_positions.py). When it is to be asked stands there,
so that whichever worker comes first asks, and one that dies is followed by another.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from cds_service.during import mode_gate
from cds_service.during_subscriptions import missed_events, source_server, sweeps
from cds_service.during_subscriptions.asked_source import AskedSource
from cds_service.during_subscriptions.taking import Taker
from cds_service.operations import logs
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants import during_source_rules
from cds_service.tenants.during_source_rules import SEARCHED
from cds_service.tenants.tenant_parts import DuringSource
from cds_service.trust.errors import ServiceError
from fhir_mappings.during.position import Position

TURN_S = 1.0
_NOBODY_S = 60.0
_CLOSE_S = 1.0
# Longer than a turn and the searches that were begun last in it.
_LEASE_S = 150.0


class Recovery:
    """One thread of a worker; lives as long as it. A database or server that is away is asked again later."""

    def __init__(self, records: Records, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._records = records
        self._clock = clock
        self._taker: Taker | None = None
        self._sites: tuple[tuple[TenantRuntime, DuringSource], ...] = ()
        self._begun: set[tuple[str, str]] = set()
        self._woken, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="recovery", daemon=True)

    def serves(self, taker: Taker, sites: Sequence[TenantRuntime]) -> None:
        """Whose sources are asked from now on; each is asked at once whether anything was missed."""
        reading = [site for site in sites if mode_gate.reads(site.tenant)]
        self._taker = taker
        self._sites = tuple((site, site.tenant.during.source) for site in reading if site.tenant.during.source)
        self._begun = set()
        self._woken.set()

    def watch(self) -> None:
        """Begin to ask, in a thread of this worker."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: something was told that did not come."""
        self._woken.set()

    def close(self) -> None:
        """Begin nothing more; what is under way is another worker's after its lease."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_CLOSE_S)

    def turn(self) -> None:
        """Ask every source that is due; what goes wrong with one keeps nobody from the others."""
        for site, source in self._sites:
            with contextlib.suppress(DatabaseError, ServiceError):
                mode_gate.check_open(site, self._records, self._clock())
                self._turn_of(site, source)

    def _run(self) -> None:
        while not self._closing.is_set():
            self.turn()
            self._woken.wait(TURN_S if self._sites else _NOBODY_S)
            self._woken.clear()

    def _turn_of(self, site: TenantRuntime, source: DuringSource) -> None:
        held = self._records.during_positions.of_tenant(site.tenant.id)
        for name in during_source_rules.told_by(site.tenant.during):
            now, position = self._clock(), held.get(name)
            is_first = (site.tenant.id, name) not in self._begun
            if position is None or is_first or _is_overdue(position, source, name, now):
                position = self._begin(site, name, now)
            if position.ask_at is not None and position.ask_at <= now and self._taker is not None:
                access = source_server.access(site, source)
                self._try(AskedSource(self._taker, site, source, access, name, self._clock))

    def _try(self, asked: AskedSource) -> None:
        """Ask; after what could not be kept, or a fault of ours, again later, as after a server that failed."""
        try:
            self._ask(asked)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 — a thread that ended would leave what is missing unasked for ever
            if not isinstance(error, ServiceError):
                logs.warn("incident", tenant=asked.site.tenant.id, error=type(error).__name__, at=logs.where(error))
            asked.change(lambda one: one.failed(asked.clock()))

    def _begin(self, site: TenantRuntime, name: str, now: datetime) -> Position:
        """A worker that starts, or a source that fell silent: it is asked whether anything was missed."""
        self._begun.add((site.tenant.id, name))

        def due(position: Position) -> Position:
            return position.asked_next(min(position.ask_at or now, now))

        return self._records.during_positions.change(site.tenant.id, name, due, now)

    def _ask(self, asked: AskedSource) -> None:
        positions, tenant_id = self._records.during_positions, asked.site.tenant.id
        until = positions.lease(tenant_id, asked.name, self._clock(), _LEASE_S)
        if until is None:
            return
        try:
            (sweeps.look_again if asked.name == SEARCHED else missed_events.recover)(asked)
        finally:
            positions.release(tenant_id, asked.name, until)


def _is_overdue(position: Position, source: DuringSource, name: str, now: datetime) -> bool:
    """Whether a Subscription that says time and again that it is there has not."""
    if not source.heartbeat_s or name == SEARCHED or position.heard_at is None or position.ask_at is not None:
        return False
    return now - position.heard_at > timedelta(seconds=2 * source.heartbeat_s)
