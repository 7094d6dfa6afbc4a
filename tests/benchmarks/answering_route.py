"""The main job alone behind a Flask route: request to card, without what guards, records and counts it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, Response, request

from cds_service.answer import Knowledge, answer
from cds_service.hooks import card
from cds_service.hooks import request as hook_request
from cds_service.hooks.services import HOOKS
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.web.deployments import open_sites
from cds_service.web.settings import Settings
from fhir_mappings.orders import draft_orders
from models_onnx import registry

app = Flask(__name__, static_folder=None)
site = open_sites(Settings(demo=True))[0]
knowledge = Knowledge(models=registry.load(), fhir=FhirClient(threads=8))
draft_orders.prepare()


@app.post("/cds-services/surgical-risk")
def advise() -> Response:
    asked = hook_request.read_request(request.get_data(), offered=HOOKS)
    given = answer(asked, site=site, knowledge=knowledge, received=datetime.now(UTC))
    cards = () if given.card is None or given.silence else (given.card,)
    return Response(card.encode(card.CardsResponse(cards)), mimetype="application/json")


@app.get("/cds-services")
def ready() -> Response:
    return Response(b"{}", mimetype="application/json")
