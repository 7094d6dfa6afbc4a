"""From a tenant's file to what advising it needs: bands, policy, order codes and the EHR's dialect."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.advice.bands import BandLimits
from cds_service.advice.catalogue import Catalogue, Theme
from cds_service.advice.choice import CATALOGUE, Advising
from cds_service.advice.options import Policy
from cds_service.cards.cards import Place
from cds_service.cards.dialects import DIALECTS, Dialect
from cds_service.tenants import speaking
from cds_service.tenants.tenant import Tenant
from fhir_mappings.orders import order_codes
from fhir_mappings.terminology.concept_maps import ConceptMaps


class UnknownRowError(Exception):
    """A tenant switches a row of the catalogue that does not exist; the message names it."""


def limits(tenant: Tenant) -> BandLimits:
    """The tenant's bands and warning thresholds."""
    return BandLimits(*tenant.bands, rare=tenant.warning.rare, common=tenant.warning.common)


def floors(tenant: Tenant) -> dict[str, float]:
    """By outcome, the probability from which a card opens: the shipped ones but where the tenant says otherwise."""
    if tenant.card_floor is not None:
        return dict.fromkeys(speaking.CARD_FLOORS, tenant.card_floor)
    return speaking.CARD_FLOORS | tenant.card_floors


def advising(tenant: Tenant, maps: ConceptMaps, added: tuple[Theme, ...] = ()) -> Advising:
    """What may be suggested, the site's own rows (`added`) among it.

    Raises UnknownRowError, or OrderCodeError naming the map that cannot be used.
    """
    own = tenant.advice
    catalogue = Catalogue((*CATALOGUE.themes, *added)) if added else CATALOGUE
    rows = {row.id for row in catalogue.rows}
    for name in (*own.off, *own.opt_in):
        if name not in rows:
            raise UnknownRowError(f"tenant {tenant.id}: advice: the catalogue has no row {name}")
    policy = Policy(
        off=frozenset(own.off),
        opt_in=frozenset(own.opt_in),
        settings={
            "hba1c_percent": own.hba1c_percent,
            "hba1c_percent_spine": own.hba1c_percent_spine or own.hba1c_percent,
        },
        maximum=own.maximum_suggestions,
    )
    codes = order_codes.load(tenant.order_maps, shipped=_shipped_order_maps(tenant))
    return Advising(policy=policy, codes=codes, maps=maps, limits=limits(tenant), catalogue=catalogue)


def dialect(tenant: Tenant) -> Dialect:
    """What its EHR takes; whether it renders markdown a tenant may know better than the vendor's row."""
    of_vendor = DIALECTS[tenant.vendor_profile]
    if tenant.card_text == "as-vendor":
        return of_vendor
    return msgspec.structs.replace(of_vendor, markdown=tenant.card_text == "markdown")


def place(tenant: Tenant, advised: Advising) -> Place:
    """How this tenant's EHR shows cards and takes orders."""
    return Place(
        public_url=tenant.public_url,
        local_pages=tenant.local_pages,
        discrete_result=tenant.discrete_result,
        dialect=dialect(tenant),
        codes=advised.codes,
        intent=tenant.advice.draft_intent,
        save_to_chart=tenant.advice.save_to_chart,
        launch_url=tenant.advice.smart_launch_url,
    )


def _shipped_order_maps(tenant: Tenant) -> tuple[Path, ...]:
    """Demo and dev tenants also order by the standard codes; production shows text for what it has not mapped."""
    return () if tenant.is_production else (order_codes.DEMONSTRATION,)
