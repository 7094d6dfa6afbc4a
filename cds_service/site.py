"""One tenant with everything that its file names already read: maps, prefetch templates, zone, thresholds."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds_service.advice import tenancy
from cds_service.advice.assessment import BandLimits
from cds_service.advice.cards import Place
from cds_service.advice.choice import Advising
from cds_service.tenant import Tenant
from cds_service.trust import egress
from fhir_mappings import concept_maps, queries
from fhir_mappings.concept_maps import ConceptMaps

CONNECTIONS = 32


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What answering needs to know of one EHR installation."""

    tenant: Tenant
    maps: ConceptMaps
    templates: dict[str, str]
    zone: ZoneInfo
    band_limits: BandLimits
    place: Place
    advising: Advising
    card_floor: float | None
    session: egress.Session


def open_site(tenant: Tenant) -> Site:
    """Read what the tenant's file names; an unreadable map or zone stops the start."""
    maps = concept_maps.load(tenant.concept_maps or _demonstration(tenant))
    advising = tenancy.advising(tenant, maps)
    return Site(
        tenant=tenant,
        maps=maps,
        templates=queries.prefetch_templates(maps),
        zone=ZoneInfo(tenant.zone),
        band_limits=advising.limits,
        place=tenancy.place(tenant, advising),
        advising=advising,
        card_floor=tenant.card_floor,
        session=egress.fhir_session(tenant, connections=CONNECTIONS),
    )


def _demonstration(tenant: Tenant) -> tuple[Path, ...]:
    """Demo and dev tenants without a map of their own use the one for demonstration (DEC-31); production never."""
    return () if tenant.environment == "production" else (concept_maps.DEMO,)
