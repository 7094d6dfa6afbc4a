"""One source of a tenant while it is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from cds_service.during_subscriptions.taking import Taker
from cds_service.patient_data.fhir_client import Access
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant_parts import DuringSource
from fhir_mappings.during.position import Position


class AskedSource(msgspec.Struct, frozen=True):
    """One source of a tenant by its name: whom to ask, by which way, and into what."""

    taker: Taker
    site: TenantRuntime
    source: DuringSource
    by: Access
    name: str
    clock: Callable[[], datetime]

    def position(self) -> Position:
        """As it stands in the record."""
        return self.change(lambda one: one)

    def change(self, changed: Callable[[Position], Position]) -> Position:
        """Commit what becomes of it."""
        return self.taker.positions.change(self.site.tenant.id, self.name, changed, self.clock())
