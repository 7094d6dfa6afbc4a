"""START READING HERE: one hook request becomes one answer; each line of `answer` is one step of the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cds_service import patient_from_request
from cds_service.advice import choice, model_inputs, silence, site_models
from cds_service.advice.assessment import Assessment, Occasion, assess
from cds_service.advice.options import Option
from cds_service.advice.silence import Reason
from cds_service.cards import cards
from cds_service.chart_orders import beside_drafts, with_open_orders
from cds_service.hooks.card import Card
from cds_service.hooks.request import HookRequest
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.stopwatch import Stopwatch
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust import time_ordered_id
from fhir_mappings.features.features import derive
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure
from fhir_mappings.patient.patient_record import PatientRecord
from models_onnx.added_model import NO_ADDED_MODELS, AddedAnswer, AddedModels
from models_onnx.recalibration import BySha256
from models_onnx.registry import Registry

_TO_WRITE_S = 0.1  # of the deadline, kept for the card where a site's own models are slow


class Knowledge(msgspec.Struct, frozen=True):
    """What one answer is given with: the models, the threads that wait for FHIR servers, and by tenant what its

    hospital recalibrated; `added`: the site's own models. Replaced as a whole (models_in_force.py), never changed.
    """

    models: Registry
    fhir: FhirClient
    recalibrations: Mapping[str, BySha256] = {}
    added: AddedModels = NO_ADDED_MODELS


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A card, or the reason for silence; and the orders and the assessment behind either, for the record.

    `record`: what the assessment read of the patient, for the risk profile alone.
    `again`: the same card was shown a moment ago, and stays (told_before.py). `of_chart`: it is of the operation in the
    chart beside drafts that hold none. `opened`: a finding opens its card, whatever the risk (DEC-39).
    """

    card: Card | None = None
    silence: Reason | None = None
    orders: tuple[PlannedProcedure, ...] | NoProcedure = ()
    assessment: Assessment | None = None
    options: tuple[Option, ...] = ()
    record: PatientRecord | None = None
    again: bool = False
    of_chart: bool = False
    opened: bool = False
    milliseconds: dict[str, float] = {}


def answer(
    request: HookRequest, *, site: TenantRuntime, knowledge: Knowledge, received: datetime, since: float | None = None
) -> Answer:
    """The whole way from an order to a card. `received` is the hook's instant: nothing below asks what time it is.

    `since`: when the first byte of its body was here (monotonic clock; None: now); the deadline counts from there.
    """
    clock = Stopwatch(since)
    clock.check(site.tenant.deadline_s)
    if reason := silence.for_user(request.context.user_id):
        return Answer(silence=reason)

    request = with_open_orders(request, site, knowledge.fhir, started=clock.started, as_of=received)
    request = patient_from_request.without_our_own(request)
    planned = patient_from_request.planned(request, site)
    if isinstance(planned, NoProcedure):
        request, planned = _of_chart(request, planned, site, knowledge, clock=clock, received=received)
    if isinstance(planned, NoProcedure):
        return Answer(silence=patient_from_request.no_procedure(request, planned), orders=planned)
    procedure = planned[0]
    session = patient_from_request.session(request, procedure)
    clock.lap("order")

    results = patient_from_request.patient_data(request, site, knowledge.fhir, clock.started)
    clock.lap("data")

    record = patient_from_request.record(results, request, site, received)
    drafts = [draft.resource for draft in request.context.drafts]
    features = derive(record, procedure, drafts)
    clock.lap("features")
    if reason := silence.for_patient(record, features):
        if reason == "required-input-missing" and site.tenant.card_for_missing_required:
            gap = cards.for_gap(procedure, site.place, instead_of=session.instead_of)
            return Answer(card=gap, orders=planned, of_chart=session.in_chart, milliseconds=clock.laps)
        return Answer(silence=reason, orders=planned, milliseconds=clock.laps)

    unknowns = model_inputs.unknowns(record, features)
    values, limits = model_inputs.values(features), model_inputs.limits(features)
    scores = knowledge.models.score(values, limits, unknowns.opened)
    added: tuple[AddedAnswer, ...] = ()
    if site.tenant.added_models:
        until = clock.started + site.tenant.deadline_s - _TO_WRITE_S
        added = knowledge.added.answers(site.tenant.added_models, values, limits, unknowns.opened, until=until)
    clock.lap("scores")
    if reason := silence.for_scores(knowledge.models.champions(scores)):
        return Answer(silence=reason, orders=planned, milliseconds=clock.laps)

    assessment = assess(
        features,
        scores,
        procedure=procedure,
        models=knowledge.models,
        limits=site.band_limits,
        occasion=Occasion(time_ordered_id.draw(received), received, site.zone),
        unknowns=unknowns,
        own=site_models.own(knowledge.recalibrations.get(site.tenant.id), added),
    )
    chosen = choice.for_patient(assessment, record, drafts, advising=site.advising)
    card: Card | None = None
    if not (reason := silence.for_floor(assessment, site.card_floors, opened=chosen.opens)):
        card = cards.write(assessment, site.place, session=session, chosen=chosen)
    clock.lap("card")
    clock.check(site.tenant.deadline_s)
    return Answer(
        card=card,
        silence=reason,
        orders=planned,
        assessment=assessment,
        options=chosen.options,
        record=record,
        of_chart=session.in_chart,
        opened=chosen.opens,
        milliseconds=clock.laps,
    )


def _of_chart(
    request: HookRequest,
    none: NoProcedure,
    site: TenantRuntime,
    knowledge: Knowledge,
    *,
    clock: Stopwatch,
    received: datetime,
) -> tuple[HookRequest, tuple[PlannedProcedure, ...] | NoProcedure]:
    """The request and its operations, about the chart's where its drafts hold none and the tenant wants it so."""
    beside = beside_drafts(request, none, site, knowledge.fhir, started=clock.started, as_of=received)
    if beside is None:
        return request, none
    return beside, patient_from_request.planned(beside, site)
