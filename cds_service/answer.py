"""START READING HERE: one hook request becomes one answer; each line of `answer` is one step of the way."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import msgspec
from fhir_mappings.features import derive
from fhir_mappings.patient_record import PatientRecord, WrongPatientError
from fhir_mappings.procedures import NoProcedure, PlannedProcedure
from models_onnx.registry import Registry

from cds_service.advice import cards, silence
from cds_service.advice.assessment import Assessment, Models, assess
from cds_service.advice.silence import Reason
from cds_service.hooks.card import Card
from cds_service.hooks.errors import DataUnobtainable, InvalidContext
from cds_service.hooks.request import HookRequest
from cds_service.patient_data.access import access
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.patient_data.gather import Budget, gather
from cds_service.site import Site
from fhir_mappings import patient_record, procedures
from fhir_mappings.search_result import SearchResults


class Knowledge(msgspec.Struct, frozen=True):
    """What lives as long as the worker: the models, and the connections to FHIR servers."""

    models: Registry
    fhir: FhirClient


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A card, or the reason for silence; the assessment behind it, for the record."""

    card: Card | None = None
    silence: Reason | None = None
    assessment: Assessment | None = None
    milliseconds: dict[str, float] = {}


def answer(request: HookRequest, *, site: Site, knowledge: Knowledge, received: datetime) -> Answer:
    """The whole way from an order to a card. `received` is the hook's instant: nothing below asks what time it is."""
    clock = Stopwatch()
    if reason := silence.for_user(request.context.user_id):
        return Answer(silence=reason)
    planned = _planned(request, site)
    if isinstance(planned, NoProcedure):
        return Answer(silence=_no_procedure(request, planned))
    procedure = planned[0]
    clock.lap("order")
    results = _patient_data(request, site, knowledge, clock)
    clock.lap("data")
    record = _record(results, request, site, received)
    features = derive(record, procedure)
    clock.lap("features")
    if reason := silence.for_patient(record, features):
        return Answer(silence=reason, milliseconds=clock.laps)
    scores = knowledge.models.score({name: f.model_value if f.usable else None for name, f in features.items()})
    clock.lap("scores")
    if reason := silence.for_scores(scores):
        return Answer(silence=reason, milliseconds=clock.laps)
    assessment = assess(
        features,
        scores,
        procedure=procedure,
        models=Models({card.name: card for card in knowledge.models.cards}, knowledge.models.peer),
        limits=site.band_limits,
        identity=(str(uuid.uuid4()), received, site.zone),
    )
    card = cards.write(assessment, site.place)
    clock.lap("card")
    clock.check(site.tenant.deadline_s)
    reason = silence.for_floor(assessment, site.card_floor)
    return Answer(card=None if reason else card, silence=reason, assessment=assessment, milliseconds=clock.laps)


class Stopwatch:
    """Milliseconds of each step, and whether the service's own deadline has passed."""

    def __init__(self) -> None:
        self.started = self._last = time.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Note the time since the last step."""
        now = time.monotonic()
        self.laps[step] = round(1000 * (now - self._last), 3)
        self._last = now

    def check(self, deadline_s: float) -> None:
        """Too late is an error, never silence and never half an answer (DEC-02)."""
        if time.monotonic() - self.started > deadline_s:
            raise DataUnobtainable("The estimate could not be made in time.", diagnostics="deadline")


def _planned(request: HookRequest, site: Site) -> tuple[PlannedProcedure, ...] | NoProcedure:
    orders = [order.resource for order in request.context.considered]
    try:
        return procedures.planned(orders, patient_id=request.context.patient_id, maps=site.maps)
    except WrongPatientError as error:
        raise InvalidContext("A draft order is for another patient.", diagnostics="draftOrders") from error


def _no_procedure(request: HookRequest, found: NoProcedure) -> Reason:
    if found.reason == "fhir-version-unsupported":
        raise InvalidContext("The order is in a FHIR version that is not read.", diagnostics=found.reason)
    if request.context.drafts and not request.context.considered:
        return "selection-unresolved"
    return found.reason


def _patient_data(request: HookRequest, site: Site, knowledge: Knowledge, clock: Stopwatch) -> SearchResults:
    context = request.context
    return gather(
        request.prefetch,
        templates=site.templates,
        tokens={
            "context.patientId": context.patient_id,
            "context.encounterId": context.encounter_id,
            "context.userId": context.user_id,
        },
        client=knowledge.fhir,
        access=access(request, site.tenant),
        budget=Budget(call_s=site.tenant.fetch_timeout_s, until=clock.started + site.tenant.fetch_budget_s),
    )


def _record(results: SearchResults, request: HookRequest, site: Site, received: datetime) -> PatientRecord:
    try:
        return patient_record.read(
            results, patient_id=request.context.patient_id, as_of=received, zone=site.zone, maps=site.maps
        )
    except WrongPatientError as error:
        text, where = "Data of another patient.", f"prefetch key '{error.key}'"
        if error.supplied == "fetched":
            raise DataUnobtainable(text, diagnostics=where) from error
        raise InvalidContext(text, diagnostics=where) from error
