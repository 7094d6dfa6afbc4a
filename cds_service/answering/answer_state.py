"""What an answer rests on beside its request: once any of it changes, no remembered answer holds any longer."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cds_service.answer import Knowledge
from cds_service.answering import gate
from cds_service.records.switches import Switches
from cds_service.tenant_runtime import TenantRuntime


class States:
    """The state that each tenant's answers are given under, as a few bytes; lives as long as its worker."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Switches, Knowledge, bool, bytes]] = {}

    def under(self, site: TenantRuntime, switches: Switches, knowledge: Knowledge, received: datetime) -> bytes:
        """A digest of tenant file, terminology, switches, models, recalibrations, and whether the service has ended."""
        tenant = site.tenant
        ended = gate.has_ended(tenant, site.zone, received)
        known = self._known.get(tenant.id)
        if known is not None and known[0] is switches and known[1] is knowledge and known[2] is ended:
            return known[3]
        recalibrated = sorted(knowledge.recalibrations.get(tenant.id, {}).items())
        models = (knowledge.models.digest, knowledge.added.digest)
        holds = (tenant, site.source, site.terminology, sorted(map(repr, switches)), models, recalibrated, ended)
        digest = hashlib.sha256(repr(holds).encode()).digest()
        self._known[tenant.id] = (switches, knowledge, ended, digest)
        return digest
