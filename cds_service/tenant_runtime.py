"""One tenant with everything that its file names already read: maps, prefetch templates, zone, thresholds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds_service import site_folder, tenant_advice
from cds_service.advice.bands import BandLimits
from cds_service.advice.choice import Advising
from cds_service.cards.cards import Place
from cds_service.patient_data import terminology_server
from cds_service.patient_data.terminology_server import ValueSetInForce
from cds_service.site_folder import SiteFolder
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
    own: SiteFolder
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
    # A digest of the tenant's file and of all that it names (tenants/tenant_folder.py).
    source: str = ""


def open_tenant(tenant: Tenant, *, source: str = "") -> TenantRuntime:
    """Read what the tenant's file names; what cannot be read, or had from its terminology server, stops the start."""
    own = site_folder.read_folder(tenant.site_folder)
    value_sets, told = terminology_server.in_force(tenant, STANDARD)
    habits = tenant.data
    if not habits.unverified_codes:
        value_sets = _verified(value_sets) if value_sets is STANDARD else value_sets.verified()
    value_sets, own = site_folder.applied(own, value_sets)
    files, shipped = (*tenant.concept_maps, *own.maps), _demonstration(tenant)
    if files or tenant.code_systems or tenant.terminology or own.codes or own.inputs:
        maps = concept_maps.load(files, shipped=shipped, sets=value_sets, code_systems=tenant.code_systems)
    else:
        maps = _without_own(shipped, value_sets)
    advising = tenant_advice.advising(tenant, maps, own.themes)
    return TenantRuntime(
        tenant=tenant,
        maps=maps,
        value_sets=value_sets,
        own=own,
        terminology=told,
        rules=SiteRules(
            decimal_comma=habits.decimal_comma,
            status_unknown=habits.status_unknown,
            unread_is_absent=habits.unread_entries == "absent",
            units=unit_aliases.by_text(habits.units | own.units, own.taken_units),
            inputs=own.inputs,
        ),
        templates=_shared(tuple(queries.prefetch_templates(maps, value_sets, advising.codes, own.inputs).items())),
        zone=ZoneInfo(tenant.zone),
        band_limits=advising.limits,
        place=tenant_advice.place(tenant, advising),
        advising=advising,
        card_floors=tenant_advice.floors(tenant),
        fhir=egress.fhir_door(tenant, connections=CONNECTIONS),
        sign_in=egress.sign_in_door(tenant, connections=SIGN_IN_CONNECTIONS),
        source=source,
    )


@lru_cache(maxsize=1)
def _verified(standard: ValueSets) -> ValueSets:
    return standard.verified()


@lru_cache(maxsize=4)
def _without_own(shipped: tuple[Path, ...], standard: ValueSets) -> ConceptMaps:
    """Of every tenant that has no map of its own."""
    return concept_maps.load((), shipped=shipped, sets=standard)


@lru_cache(maxsize=64)
def _shared(templates: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """One of each: thousands of tenants without codes of their own ask the same."""
    return dict(templates)


def _demonstration(tenant: Tenant) -> tuple[Path, ...]:
    """Demo and dev tenants have the map for demonstration besides their own (DEC-31, DEC-41); production never."""
    return () if tenant.environment == "production" else (concept_maps.DEMO,)
