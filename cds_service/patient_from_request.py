"""From a request to what the mapping reads: orders, patient data, record; another person's data stop everything."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cds_service.advice.silence import Reason
from cds_service.cards.suggestions import Session
from cds_service.fhir_access import access
from cds_service.hooks.request import HookRequest
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.patient_data.gather import Budget, gather
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.errors import DataUnobtainable, InvalidContext
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.orders import draft_orders, procedures
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure
from fhir_mappings.patient import patient_record
from fhir_mappings.patient.patient_record import PatientRecord, WrongPatientError


def planned(request: HookRequest, site: TenantRuntime) -> tuple[PlannedProcedure, ...] | NoProcedure:
    """The operations among the orders that advice is about, the gravest first (DEC-19).

    One that names another patient, and any draft of the session that does, whatever its type and selected or not:
    InvalidContext where it was sent, DataUnobtainable where we fetched it (DEC-14).
    """
    considered = request.context.considered
    orders = [order.resource for order in considered]
    try:
        others = (draft.resource for draft in request.context.drafts if draft not in considered)
        procedures.refuse_other_people(others, request.context.patient_id)
        return procedures.planned(
            orders, patient_id=request.context.patient_id, maps=site.maps, value_sets=site.value_sets
        )
    except WrongPatientError as error:
        if (place := request.context.place) == "fetched":
            raise DataUnobtainable("Data of another patient.", diagnostics="prefetch key 'orders'") from error
        raise InvalidContext("An order is for another patient.", diagnostics=place) from error


def without_our_own(request: HookRequest) -> HookRequest:
    """The request as if nobody had accepted a draft of ours yet; where only such were selected, about all the others.

    One that names another patient is none of ours, whatever it says (DEC-14).
    """
    context = request.context
    own = {id(one) for one in context.drafts if draft_orders.is_ours(one.resource, context.patient_id)}
    if not own:
        return request
    drafts = tuple(draft for draft in context.drafts if id(draft) not in own)
    considered = tuple(draft for draft in context.considered if id(draft) not in own)
    if context.considered and not considered:
        considered = drafts
    return msgspec.structs.replace(
        request, context=msgspec.structs.replace(context, drafts=drafts, considered=considered)
    )


def session(request: HookRequest, procedure: PlannedProcedure) -> Session:
    """For whom and by whom which order is being placed: what a suggested draft has to name."""
    context = request.context
    return Session(
        patient_id=context.patient_id,
        user_id=context.user_id,
        encounter_id=context.encounter_id,
        order=procedure.order,
        instead_of=context.instead_of,
    )


def no_procedure(request: HookRequest, found: NoProcedure) -> Reason:
    """Why there is no operation to speak of. Raises InvalidContext for an order in an unread FHIR version (DEC-16)."""
    if found.reason == "fhir-version-unsupported":
        raise InvalidContext("The order is in a FHIR version that is not read.", diagnostics=found.reason)
    selects = request.hook == "order-select"  # what is selected is never nothing, even where no draft came (DEC-25)
    if not request.context.considered and (request.context.drafts or selects):
        return "selection-unresolved"
    return found.reason


def patient_data(request: HookRequest, site: TenantRuntime, client: FhirClient, started: float) -> SearchResults:
    """One SearchResult for every prefetch key, within the tenant's budget since `started` (monotonic clock)."""
    context = request.context
    return gather(
        request.prefetch,
        templates=site.templates,
        tokens={
            "context.patientId": context.patient_id,
            "context.encounterId": context.encounter_id,
            "context.userId": context.user_id,
        },
        client=client,
        access=access(request, site),
        budget=Budget(call_s=site.tenant.fetch_timeout_s, until=started + site.tenant.fetch_budget_s),
        fetch_medications=site.tenant.data.fetch_medications,
    )


def record(results: SearchResults, request: HookRequest, site: TenantRuntime, received: datetime) -> PatientRecord:
    """The patient's record as of `received`.

    Data of another patient: InvalidContext where they were sent, DataUnobtainable where we fetched them (DEC-14).
    """
    try:
        return patient_record.read_record(
            results,
            patient_id=request.context.patient_id,
            as_of=received,
            zone=site.zone,
            maps=site.maps,
            value_sets=site.value_sets,
            rules=site.rules,
        )
    except WrongPatientError as error:
        text, where = "Data of another patient.", f"prefetch key '{error.key}'"
        if error.supplied == "fetched":
            raise DataUnobtainable(text, diagnostics=where) from error
        raise InvalidContext(text, diagnostics=where) from error
