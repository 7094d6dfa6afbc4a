"""The main job with a caller's JWT, the record and the metrics, as the service has them, and nothing else around it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, request

from cds_service.answer import Knowledge, answer
from cds_service.answering import evaluation_row
from cds_service.hooks import card
from cds_service.hooks import request as hook_request
from cds_service.hooks.services import SERVICE_ID, offered
from cds_service.operations import metrics
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records import migrate
from cds_service.records.records import Records
from cds_service.trust.client_jwt import Verifier
from cds_service.web.deployments import open_sites
from cds_service.web.settings import Settings
from fhir_mappings.orders import draft_orders
from models_onnx import registry

app = Flask(__name__, static_folder=None)
settings = Settings()
site = open_sites(settings)[0]
knowledge = Knowledge(models=registry.load(), fhir=FhirClient(threads=8))
migrate.upgrade(settings.database_url)
records = Records(settings.database_url, folder=Path("ledgers"), connections=8, counted=metrics.count_rows)
verifier = Verifier([site.tenant], records.used_tokens)
draft_orders.prepare()


@app.post("/cds-services/surgical-risk")
def advise() -> Response:
    received, started = datetime.now(UTC), time.monotonic()
    header = request.headers.get("Authorization")
    caller = verifier.verify(header, endpoint="service", service_id=SERVICE_ID, now=received.timestamp())
    asked = hook_request.read_request(request.get_data(), offered=offered(caller.tenant.hooks))
    given = answer(asked, site=site, knowledge=knowledge, received=received)
    cards = () if given.card is None or given.silence else (given.card,)
    response = Response(card.encode(card.CardsResponse(cards)), mimetype="application/json")
    records.write_evaluation(
        evaluation_row.of_answer(evaluation_row.Call(asked, caller, received, started), given, "on")
    )
    metrics.responses.labels(caller.tenant.id, "service", asked.hook, "200").inc()
    metrics.seconds.labels("service").observe(time.monotonic() - started)
    return response


@app.get("/cds-services")
def ready() -> Response:
    return Response(b"{}", mimetype="application/json")
