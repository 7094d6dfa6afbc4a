"""create_app: build everything once, and refuse to start if anything is wrong."""

from __future__ import annotations

from flask import Flask

from cds_service import contract
from cds_service.advice import catalogue
from cds_service.answer import Knowledge
from cds_service.demo import patients, store
from cds_service.hooks import errors, routes
from cds_service.hooks.routes import Deployment
from cds_service.pages import evidence, layout
from cds_service.pages import models as model_pages
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.settings import Settings
from cds_service.site import Site, open_site
from cds_service.tenants import check_for, demo_tenant
from cds_service.tenants import load as load_tenants
from models_onnx import registry


class StartError(Exception):
    """The service does not start; the message says what is wrong."""


def create_app(settings: Settings) -> Flask:
    """The WSGI application of one worker. Raises StartError, TenantError or ModelError rather than run half right."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit_bytes
    models = registry.load()
    contract.check(models.cards)
    deployment = Deployment(
        sites=open_sites(settings), knowledge=Knowledge(models, FhirClient(threads=settings.fetch_threads))
    )
    errors.register(app, lambda incident, error: app.logger.error("incident %s %s", incident, type(error).__name__))
    app.register_blueprint(routes.blueprint(deployment))
    app.register_blueprint(layout.blueprint())
    app.register_blueprint(model_pages.blueprint(lambda: models))
    app.register_blueprint(evidence.blueprint(catalogue.load()))
    if settings.demo:
        app.register_blueprint(store.blueprint(patients.everything), url_prefix="/demo/fhir")
    return app


def open_sites(settings: Settings) -> tuple[Site, ...]:
    """Every tenant with what its file names; StartError, TenantError or ConceptMapError otherwise."""
    if settings.demo:
        return (open_site(demo_tenant(settings.public_url or f"http://{settings.bind}")),)
    if settings.tenants is None:
        raise StartError("No tenants: name a folder of tenant files with --tenants or CDS_TENANTS.")
    tenants = load_tenants(settings.tenants)
    check_for(tenants)
    return tuple(open_site(tenant) for tenant in tenants)
