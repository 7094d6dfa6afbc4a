"""One tenant with everything that its file names already read: maps, prefetch templates, zone, thresholds."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds_service import tenant_advice
from cds_service.advice.bands import BandLimits
from cds_service.advice.choice import Advising
from cds_service.cards.cards import Place
from cds_service.patient_data import terminology_server
from cds_service.patient_data.terminology_server import ValueSetInForce
from cds_service.tenants.tenant import Tenant
from cds_service.trust import egress
from cds_service.trust.outbound import Door
from fhir_mappings.features import queries
from fhir_mappings.results import unit_aliases
from fhir_mappings.results.site_rules import SiteRules
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

CONNECTIONS = 32
SIGN_IN_CONNECTIONS = 4


class TenantRuntime(msgspec.Struct, frozen=True, kw_only=True):
    """What answering needs to know of one EHR installation."""

    tenant: Tenant
    maps: ConceptMaps
    value_sets: ValueSets
    terminology: tuple[ValueSetInForce, ...]
    rules: SiteRules
    templates: dict[str, str]
    zone: ZoneInfo
    band_limits: BandLimits
    place: Place
    advising: Advising
    card_floors: dict[str, float]
    fhir: Door
    sign_in: Door


def open_tenant(tenant: Tenant) -> TenantRuntime:
    """Read what the tenant's file names; what cannot be read, or had from its terminology server, stops the start."""
    value_sets, told = terminology_server.in_force(tenant, STANDARD)
    habits = tenant.data
    if not habits.unverified_codes:
        value_sets = value_sets.verified()
    maps = concept_maps.load(
        tenant.concept_maps, shipped=_demonstration(tenant), sets=value_sets, code_systems=tenant.code_systems
    )
    advising = tenant_advice.advising(tenant, maps)
    return TenantRuntime(
        tenant=tenant,
        maps=maps,
        value_sets=value_sets,
        terminology=told,
        rules=SiteRules(
            decimal_comma=habits.decimal_comma,
            status_unknown=habits.status_unknown,
            unread_is_absent=habits.unread_entries == "absent",
            units=unit_aliases.by_text(habits.units),
        ),
        templates=queries.prefetch_templates(maps, value_sets, advising.codes),
        zone=ZoneInfo(tenant.zone),
        band_limits=advising.limits,
        place=tenant_advice.place(tenant, advising),
        advising=advising,
        card_floors=tenant_advice.floors(tenant),
        fhir=egress.fhir_door(tenant, connections=CONNECTIONS),
        sign_in=egress.sign_in_door(tenant, connections=SIGN_IN_CONNECTIONS),
    )


def _demonstration(tenant: Tenant) -> tuple[Path, ...]:
    """Demo and dev tenants have the map for demonstration besides their own (DEC-31, DEC-41); production never."""
    return () if tenant.environment == "production" else (concept_maps.DEMO,)
