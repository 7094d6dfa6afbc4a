"""What one worker answers with: opened once, and with other tenants while it runs; what is wrong stops it first."""

from __future__ import annotations

import atexit
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from cds_service.answering import site_model_inputs
from cds_service.answering.answer_state import States
from cds_service.answering.calls import CallDesk
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.answering.tenants_in_force import Sites, TenantsInForce
from cds_service.operations import metrics, state
from cds_service.operations.record_watch import RecordWatch
from cds_service.records import database, recalibrations, time_limit, validation_reports
from cds_service.records.records import Records
from cds_service.site_folder import SiteFolder
from cds_service.tenant_runtime import TenantRuntime, open_tenant
from cds_service.tenants import during_rules
from cds_service.tenants.tenant import EVERY_MODEL, Tenant
from cds_service.tenants.tenant_files import check_for, demo_tenant
from cds_service.tenants.tenant_files import load as load_tenants
from cds_service.trust.client_jwt import Verifier
from cds_service.trust.retries import RetryCache
from cds_service.trust.throttle import Throttle
from cds_service.validation import standing
from cds_service.validation.standing import GoLiveWatch
from cds_service.web import hook_routes
from cds_service.web.hook_routes import Deployment
from cds_service.web.settings import Settings
from fhir_mappings.orders import operation_codes

# Below gunicorn's own limit for a worker that is being born (gunicorn_conf.timeout).
BOOT_WAIT_S = 15.0
_MOST_PREPARED = 100


class StartError(Exception):
    """The service does not start; the message says what is wrong."""


def state_folder(settings: Settings) -> Path:
    """What the workers of this start share."""
    return settings.state_directory or state.folder(settings.database_url, settings.bind)


def opened(
    settings: Settings, in_force: ModelsInForce, clock: hook_routes.Clock, tenants: TenantsInForce | None
) -> Deployment:
    """The record first: a deployment that cannot keep an account of its answers gives none."""
    sites = tenants.sites if tenants else open_sites(settings)
    refuse_absent_models(sites, in_force.knowledge.added.by_name)
    in_force.hold(
        lambda cards: site_model_inputs.refuse_unread(
            _owners(tenants.sites if tenants else sites), cards, settings.tenants
        )
    )
    folder = state_folder(settings)
    records = Records(
        _migrated(settings.database_url, schema_of(sites)),
        folder=folder / state.LEDGERS,
        connections=settings.threads,
        counted=metrics.count_rows,
        troubled=RecordWatch(),
        grace_s=settings.record_grace_s,
    )
    atexit.register(records.close)
    in_force.recalibrate(lambda: recalibrations.in_force(records.quick))
    stands = GoLiveWatch(
        lambda tenant, sha256: validation_reports.find(records.quick, tenant, sha256),
        records.switches,
        lambda: in_force.knowledge,
        standing.utc_today,
    )
    records.marked = stands.marked
    prepare_counts(sites)
    retries = RetryCache(state.answers(folder), workers=settings.workers)
    desk = CallDesk(
        sites={site.tenant.id: site for site in sites},
        in_force=in_force,
        records=records,
        retries=retries,
        states=States(),
    )
    return Deployment(
        sites=sites,
        desk=desk,
        verifier=Verifier([site.tenant for site in sites], records.used_tokens),
        throttle=Throttle([site.tenant for site in sites], records.allowances),
        standing=stands,
        body_limit_bytes=settings.body_limit_bytes,
        discovery_auth=settings.discovery_auth,
        clock=clock,
    )


def with_others(sites: Sites, before: Deployment) -> Deployment:
    """The same deployment with other tenants; of those that stayed, keys and counts are kept."""
    tenants, by_id = [site.tenant for site in sites], {site.tenant.id: site for site in sites}
    return msgspec.structs.replace(
        before,
        sites=sites,
        desk=msgspec.structs.replace(before.desk, sites=by_id, states=States()),
        verifier=Verifier(tenants, before.desk.records.used_tokens, before=before.verifier),
        throttle=Throttle(tenants, before=before.throttle),
    )


def refuse_unserved(sites: Sites, in_force: ModelsInForce, settings: Settings) -> None:
    """Raise StartError or ContractError where a tenant wants a model that is not there, or that it cannot feed."""
    refuse_absent_models(sites, in_force.knowledge.added.by_name)
    cards = {name: one.card for name, one in in_force.knowledge.added.by_name.items()}
    site_model_inputs.refuse_unread(_owners(sites), cards, settings.tenants)


def _owners(sites: Sites) -> list[tuple[Tenant, SiteFolder]]:
    return [(site.tenant, site.own) for site in sites]


def prepare_counts(sites: Sites) -> None:
    """Begin the counts at 0, where tenants are few: of thousands each begins with its first call (docs/capacity.md)."""
    if len(sites) <= _MOST_PREPARED:
        for site in sites:
            metrics.prepare_orders(site.tenant.id, operation_codes.LABELS)


def schema_of(sites: Sites) -> str:
    """The oldest revision of the record that has what these tenants need."""
    reading = [site.tenant for site in sites if during_rules.reads(site.tenant.during, site.tenant.environment)]
    if any(tenant.during.source is not None for tenant in reading):
        return database.SERVES_SOURCES_FROM
    return database.SERVES_CASES_FROM if reading else database.SERVES_FROM


def _migrated(url: str, oldest: str) -> str:
    """The database's URL, once this version can use it: the embedded one is brought there, a server is not.

    Raises DatabaseError where it does not answer: a worker that is to replace another one is then tried again.
    """
    engine = database.connect(url, durable=True, connections=1, patience=time_limit.OF_A_SERVICE)
    try:
        database.wait_for(engine, BOOT_WAIT_S)
        why = database.unlike(engine, oldest)
    finally:
        engine.dispose()
    if why is None:
        return url
    if not url.startswith("sqlite"):
        raise StartError(f"The database {database.safe(url)}: {why}")
    from cds_service.records import migrate  # noqa: PLC0415 — Alembic has no place in a running worker

    migrate.upgrade(url)
    return url


def refuse_absent_models(sites: Sequence[TenantRuntime], there: Collection[str]) -> None:
    """Raise StartError where a tenant names a model of its own that nobody added, or that was removed."""
    for site in sites:
        for name in site.tenant.added_models:
            if name != EVERY_MODEL and name not in there:
                raise StartError(f"tenant {site.tenant.id}: added_models: no model {name} is in CDS_SITE_MODELS")


def open_sites(settings: Settings) -> tuple[TenantRuntime, ...]:
    """Every tenant with what its file names; StartError, TenantError or ConceptMapError otherwise."""
    if settings.demo:
        return (open_tenant(demo_tenant(settings.public_url or f"http://{settings.bind}")),)
    if settings.tenants is None:
        raise StartError(
            "none is named: give a folder of tenant files by --tenants or CDS_TENANTS; `cds-service demo` needs none"
        )
    tenants = load_tenants(settings.tenants)
    check_for(tenants)
    return tuple(open_tenant(tenant) for tenant in tenants)
