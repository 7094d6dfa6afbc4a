"""create_app: build everything once, and refuse to start if anything is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from flask import Flask

from cds_service.advice import choice
from cds_service.answering import models_in_force
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.answering.tenants_in_force import Sites, TenantsInForce
from cds_service.demo import patients, store
from cds_service.during import case_pages, intake
from cds_service.during.case_memory import CaseMemory
from cds_service.during_subscriptions.recovery import Recovery
from cds_service.during_subscriptions.taking import Taker
from cds_service.hooks.services import SERVICE_ID
from cds_service.operations import metric_files, metrics, state, traces
from cds_service.operations.readiness import Trouble
from cds_service.operations.state_watch import StateWatch
from cds_service.operations.traces import Tracing
from cds_service.pages import added_models, evidence, layout, prefix, risk_assessments, security_txt
from cds_service.pages import models as model_pages
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records.case_reading import CaseReading
from cds_service.records.records import Records
from cds_service.smart import profile
from cds_service.smart import routes as smart
from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_folder import TenantFolder
from cds_service.trust import outbound
from cds_service.trust.key_set import KeySet
from cds_service.trust.outbound import Door
from cds_service.trust.seal import Seal
from cds_service.web import (
    deployments,
    during_routes,
    error_responses,
    failures,
    health_routes,
    hook_routes,
    shapes,
    subscription_routes,
)
from cds_service.web import operations_routes as operations
from cds_service.web.hook_routes import Deployment
from cds_service.web.http_lanes import SHARED
from cds_service.web.settings import Settings
from cds_service.workbench import routes as workbench

RECORDS = "surgical-risk-records"
MODELS = "surgical-risk-models"
TRACING = "surgical-risk-tracing"
TENANTS = "surgical-risk-tenants"
RETRIES = "surgical-risk-retries"
STATE = "surgical-risk-state"
CASES = "surgical-risk-cases"
RECOVERY = "surgical-risk-recovery"
# Searches of all tenants' sources side by side; those of answers have threads of their own.
_SOURCE_THREADS = 4


class _Lasting(msgspec.Struct, frozen=True):
    """What lives as long as the worker, whichever tenants it has."""

    settings: Settings
    tracing: Tracing | None
    kept: Mapping[str, Trouble]
    of_tenants: Callable[[], Mapping[str, object]]
    sources: FhirClient
    recovery: Recovery


def create_app(
    settings: Settings, *, clock: hook_routes.Clock = hook_routes.now, tenants: TenantsInForce | None = None
) -> Flask:
    """The WSGI application of one worker. Raises StartError, TenantError or ModelError rather than run half right.

    `clock`: the hook's instant; another than the real one is for people whose dates are fixed (tests/patients).
    `tenants`: those of the folder that somebody has read already (preloading.py).
    """
    shapes.prepare()
    Door.counted, KeySet.counted = metrics.count_call, metrics.count_keys
    fhir = FhirClient(threads=settings.fetch_threads)
    in_force = ModelsInForce(
        settings.models, class_b=settings.class_b, fhir=fhir, added=settings.site_models, key=settings.models_key
    )
    if tenants is not None:
        tenants.refresh()
    elif settings.tenants is not None and not settings.demo:
        tenants = TenantsInForce(TenantFolder(settings.tenants))
    deployment = deployments.opened(settings, in_force, clock, tenants)
    records = deployment.desk.records
    tracing, kept = traces.opened(), _kept(settings, records)
    sources = FhirClient(threads=_SOURCE_THREADS)
    recovery = Recovery(records, clock)
    lasting = _Lasting(settings, tracing, kept, tenants.state if tenants else dict, sources, recovery)
    app = _application(deployment, lasting)
    app.extensions[RECORDS] = records
    app.extensions[MODELS] = in_force
    app.extensions[TENANTS] = tenants
    app.extensions[SHARED] = len(deployment.sites) > 1
    app.extensions[RETRIES] = deployment.desk.retries
    app.extensions[TRACING] = tracing
    app.extensions[RECOVERY] = recovery
    app.extensions[STATE] = StateWatch(deployments.state_folder(settings), kept)
    records.serves(
        [site.tenant.id for site in deployment.sites],
        tenants.status.digest if tenants else None,
        deployments.schema_of(deployment.sites),
    )
    if tenants is not None:
        tenants.hand_on(_change(app, deployment, lasting))
    shapes.prepare()  # of what only some deployments import
    return app


def _change(app: Flask, first: Deployment, lasting: _Lasting) -> Callable[[Sites, str], None]:
    """Puts other tenants in force: whoever is being answered is answered by what was in force when the call came."""
    current = [first]

    def take(sites: Sites, digest: str) -> None:
        before = current[0]
        deployments.refuse_unserved(sites, before.desk.in_force, lasting.settings)
        following = deployments.with_others(sites, before)
        app.wsgi_app = _application(following, lasting).wsgi_app  # type: ignore[method-assign]
        app.extensions[SHARED] = len(sites) > 1
        deployments.prepare_counts(sites)
        before.desk.records.serves([site.tenant.id for site in sites], digest, deployments.schema_of(sites))
        current[0] = following
        following.standing.forget_others(following.desk.sites)

    return take


def _application(deployment: Deployment, lasting: _Lasting) -> Flask:
    """Every route, for these tenants."""
    settings, in_force = lasting.settings, deployment.desk.in_force
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit_bytes
    tenants = tuple(site.tenant for site in deployment.sites)
    doors = [door for site in deployment.sites for door in (site.fhir, site.sign_in)]
    error_responses.register(app, failures.report, failures.tell)
    app.register_blueprint(operations.blueprint(tenants, tracing=lasting.tracing))
    app.register_blueprint(
        health_routes.blueprint(
            deployment.desk.records,
            tenants,
            lambda: (
                models_in_force.models_state(in_force)
                | outbound.doors_state([*doors, *deployment.verifier.doors])
                | deployment.standing.state(tenants)
                | {**lasting.of_tenants()}
            ),
            helpful=lasting.kept,
        )
    )
    app.register_blueprint(hook_routes.blueprint(deployment))
    taking = intake.opened(deployment.desk.records.during_cases, deployment.sites)
    app.register_blueprint(during_routes.blueprint(deployment, taking))
    taker = Taker(taking, deployment.desk.records.during_positions, lasting.sources)
    lasting.recovery.serves(taker, deployment.sites)
    app.register_blueprint(subscription_routes.blueprint(deployment, taker, lasting.recovery.wake))
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
    secret = given.get_secret_value().encode() if given else state.key(deployments.state_folder(settings))
    other = settings.session_key_other
    seal = Seal(secret, *([other.get_secret_value().encode()] if other else []))
    doors = risk_assessments.Doors(_proven(deployment), seal, deployment.desk.sites)
    app.register_blueprint(risk_assessments.blueprint(records, doors))
    memory = app.extensions[CASES] = CaseMemory(CaseReading(records.durable))
    cases = case_pages.CaseDesk(doors, records, deployment.desk.in_force, deployment.clock, memory)
    app.register_blueprint(case_pages.blueprint(cases))
    app.register_blueprint(
        smart.blueprint(
            profile.ProfileDesk(deployment.desk.sites, deployment.desk.in_force, records, seal),
            at_once=max(1, settings.threads // 2),
        )
    )
    if settings.demo:
        _open_demo(app, deployment, seal, secret)


def _open_demo(app: Flask, deployment: Deployment, seal: Seal, secret: bytes) -> None:
    from cds_service.demo import replayed_case, sandbox, sealed, sign_in  # noqa: PLC0415 — no production worker has an authorization server

    tenant, used = deployment.sites[0].tenant, deployment.desk.records.used_tokens

    def first_use(code: str, until: float) -> bool:
        return used.first_use(tenant.id, "demo-sign-in", code, expires_at=until, now=time.time())

    people = store.blueprint(patients.everything)
    people.before_request(sealed.guard(seal))
    app.register_blueprint(sign_in.blueprint(tenant.public_url, seal, secret, first_use))
    app.register_blueprint(people, url_prefix="/demo/fhir")
    app.register_blueprint(replayed_case.blueprint(deployment.desk.in_force))
    invented = patients.load(datetime.now(UTC))
    app.register_blueprint(sandbox.blueprint(tenant.public_url, invented, tenant.cors_origins))


def _kept(settings: Settings, records: Records) -> Mapping[str, Trouble]:
    """What lies in the state directory, without which the service is poorer and answers all the same."""
    folder = deployments.state_folder(settings)
    return {"state": lambda: state.trouble(folder), "counts": metric_files.trouble, "losses": records.uncounted}


def _proven(deployment: Deployment) -> risk_assessments.Proven:
    """The tenant that an Authorization header proves, as for a call of the service itself."""

    def proven(authorization: str | None) -> Tenant:
        now = time.time()
        return deployment.verifier.verify(authorization, endpoint="service", service_id=SERVICE_ID, now=now).tenant

    return proven
