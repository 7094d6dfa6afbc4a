"""create_app: build everything once, and refuse to start if anything is wrong."""

from __future__ import annotations

import atexit
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from cds_service.advice import choice
from cds_service.answering import models_in_force, site_model_inputs
from cds_service.answering.answer_state import States
from cds_service.answering.calls import CallDesk
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.demo import patients, store
from cds_service.hooks.services import SERVICE_ID
from cds_service.operations import metric_files, metrics, state, traces
from cds_service.operations.readiness import Trouble
from cds_service.operations.record_watch import RecordWatch
from cds_service.operations.state_watch import StateWatch
from cds_service.pages import added_models, evidence, layout, prefix, risk_assessments, security_txt
from cds_service.pages import models as model_pages
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records import database, recalibrations, time_limit
from cds_service.records.records import Records
from cds_service.smart import profile
from cds_service.smart import routes as smart
from cds_service.tenant_runtime import TenantRuntime, open_tenant
from cds_service.tenants.tenant import EVERY_MODEL, Tenant
from cds_service.tenants.tenant_files import check_for, demo_tenant
from cds_service.tenants.tenant_files import load as load_tenants
from cds_service.trust import outbound
from cds_service.trust.client_jwt import Verifier
from cds_service.trust.key_set import KeySet
from cds_service.trust.outbound import Door
from cds_service.trust.retries import RetryCache
from cds_service.trust.seal import Seal
from cds_service.trust.throttle import Throttle
from cds_service.web import error_responses, failures, health_routes, hook_routes
from cds_service.web import operations_routes as operations
from cds_service.web.hook_routes import Deployment
from cds_service.web.http_lanes import SHARED
from cds_service.web.settings import Settings
from cds_service.workbench import routes as workbench
from fhir_mappings.orders import operation_codes

RECORDS = "surgical-risk-records"
MODELS = "surgical-risk-models"
TRACING = "surgical-risk-tracing"
TENANTS = "surgical-risk-tenants"
RETRIES = "surgical-risk-retries"
STATE = "surgical-risk-state"
# Below gunicorn's own limit for a worker that is being born (gunicorn_conf.timeout).
BOOT_WAIT_S = 15.0


class StartError(Exception):
    """The service does not start; the message says what is wrong."""


def create_app(settings: Settings, *, clock: hook_routes.Clock = hook_routes.now) -> Flask:
    """The WSGI application of one worker. Raises StartError, TenantError or ModelError rather than run half right.

    `clock`: the hook's instant; another than the real one is for people whose dates are fixed (tests/patients).
    """
    Door.counted, KeySet.counted = metrics.count_call, metrics.count_keys
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit_bytes
    fhir = FhirClient(threads=settings.fetch_threads)
    in_force = ModelsInForce(
        settings.models, class_b=settings.class_b, fhir=fhir, added=settings.site_models, key=settings.models_key
    )
    deployment = _open(settings, in_force, clock)
    tenants = tuple(site.tenant for site in deployment.sites)
    app.extensions[RECORDS] = deployment.desk.records
    app.extensions[MODELS] = in_force
    app.extensions[TENANTS] = tuple(tenant.id for tenant in tenants)
    app.extensions[SHARED] = len(tenants) > 1
    app.extensions[RETRIES] = deployment.desk.retries
    doors = [door for site in deployment.sites for door in (site.fhir, site.sign_in)] + [*deployment.verifier.doors]
    tracing = app.extensions[TRACING] = traces.opened()
    error_responses.register(app, failures.report, failures.tell)
    kept = _kept(settings, deployment.desk.records)
    app.extensions[STATE] = StateWatch(_state_folder(settings), kept)
    app.register_blueprint(operations.blueprint(tenants, tracing=tracing))
    app.register_blueprint(
        health_routes.blueprint(
            deployment.desk.records,
            tenants,
            lambda: models_in_force.models_state(in_force) | outbound.doors_state(doors),
            helpful=kept,
        )
    )
    app.register_blueprint(hook_routes.blueprint(deployment))
    app.register_blueprint(layout.blueprint())
    app.register_blueprint(security_txt.blueprint(settings.security_contact))
    app.register_blueprint(
        model_pages.blueprint(
            lambda: in_force.models,
            tenants,
            lambda: in_force.knowledge.recalibrations,
            lambda: tuple(one.card for one in in_force.knowledge.added.by_name.values()),
        )
    )
    app.register_blueprint(
        added_models.blueprint(lambda: in_force.knowledge.added, added_models.labels(deployment.sites))
    )
    app.register_blueprint(evidence.blueprint(choice.CATALOGUE, evidence.added(deployment.sites)))
    _open_profiles(app, deployment, settings)
    public_urls = [tenant.public_url for tenant in tenants]
    app.wsgi_app = prefix.below(app.wsgi_app, public_urls)  # type: ignore[method-assign,assignment]
    if open_to_try := [site for site in deployment.sites if not site.tenant.is_production]:
        app.register_blueprint(workbench.blueprint(open_to_try))
    return app


def _open_profiles(app: Flask, deployment: Deployment, settings: Settings) -> None:
    """The SMART risk profile and the result as FHIR; in demo mode also an EHR of our own that signs people in."""
    records = deployment.desk.records
    given = settings.session_key
    secret = given.get_secret_value().encode() if given else state.key(_state_folder(settings))
    other = settings.session_key_other
    seal = Seal(secret, *([other.get_secret_value().encode()] if other else []))
    doors = risk_assessments.Doors(_proven(deployment), seal, deployment.desk.sites)
    app.register_blueprint(risk_assessments.blueprint(records, doors))
    app.register_blueprint(
        smart.blueprint(
            profile.ProfileDesk(deployment.desk.sites, deployment.desk.in_force, records, seal),
            at_once=max(1, settings.threads // 2),
        )
    )
    if settings.demo:
        _open_demo(app, deployment, seal, secret)


def _open_demo(app: Flask, deployment: Deployment, seal: Seal, secret: bytes) -> None:
    from cds_service.demo import sandbox, sealed, sign_in  # noqa: PLC0415 — no production worker has an authorization server

    tenant, used = deployment.sites[0].tenant, deployment.desk.records.used_tokens

    def first_use(code: str, until: float) -> bool:
        return used.first_use(tenant.id, "demo-sign-in", code, expires_at=until, now=time.time())

    people = store.blueprint(patients.everything)
    people.before_request(sealed.guard(seal))
    app.register_blueprint(sign_in.blueprint(tenant.public_url, seal, secret, first_use))
    app.register_blueprint(people, url_prefix="/demo/fhir")
    invented = patients.load(datetime.now(UTC))
    app.register_blueprint(sandbox.blueprint(tenant.public_url, invented, tenant.cors_origins))


def _state_folder(settings: Settings) -> Path:
    return settings.state_directory or state.folder(settings.database_url, settings.bind)


def _kept(settings: Settings, records: Records) -> Mapping[str, Trouble]:
    """What lies in the state directory, without which the service is poorer and answers all the same."""
    folder = _state_folder(settings)
    return {"state": lambda: state.trouble(folder), "counts": metric_files.trouble, "losses": records.uncounted}


def _proven(deployment: Deployment) -> risk_assessments.Proven:
    """The tenant that an Authorization header proves, as for a call of the service itself."""

    def proven(authorization: str | None) -> Tenant:
        now = time.time()
        return deployment.verifier.verify(authorization, endpoint="service", service_id=SERVICE_ID, now=now).tenant

    return proven


def _open(settings: Settings, in_force: ModelsInForce, clock: hook_routes.Clock) -> Deployment:
    """The record first: a deployment that cannot keep an account of its answers gives none."""
    sites = open_sites(settings)
    refuse_absent_models(sites, in_force.knowledge.added.by_name)
    owners = [(site.tenant, site.own) for site in sites]
    in_force.hold(lambda cards: site_model_inputs.refuse_unread(owners, cards, settings.tenants))
    folder = _state_folder(settings)
    records = Records(
        _migrated(settings.database_url),
        folder=folder / state.LEDGERS,
        connections=settings.threads,
        counted=metrics.count_rows,
        troubled=RecordWatch(),
        grace_s=settings.record_grace_s,
    )
    atexit.register(records.close)
    in_force.recalibrate(lambda: recalibrations.in_force(records.quick))
    tenants = [site.tenant for site in sites]
    for tenant in tenants:
        metrics.prepare_orders(tenant.id, operation_codes.LABELS)
    retries = RetryCache(state.answers(folder), workers=settings.workers)
    return Deployment(
        sites=sites,
        desk=CallDesk(
            sites={site.tenant.id: site for site in sites},
            in_force=in_force,
            records=records,
            retries=retries,
            states=States(),
        ),
        verifier=Verifier(tenants, records.used_tokens),
        throttle=Throttle(tenants, records.allowances),
        body_limit_bytes=settings.body_limit_bytes,
        discovery_auth=settings.discovery_auth,
        clock=clock,
    )


def _migrated(url: str) -> str:
    """The database's URL, once this version can use it: the embedded one is brought there, a server is not.

    Raises DatabaseError where it does not answer: a worker that is to replace another one is then tried again.
    """
    engine = database.connect(url, durable=True, connections=1, patience=time_limit.OF_A_SERVICE)
    try:
        database.wait_for(engine, BOOT_WAIT_S)
        why = database.unlike(engine)
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
