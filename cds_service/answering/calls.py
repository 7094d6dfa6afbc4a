"""One call of the service by a known caller: answered under the mode in force, shown once, kept and counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cds_service.advice.silence import WORDS
from cds_service.answer import Answer, answer
from cds_service.answering import computing, evaluation_row, gate, open_cases, told_before
from cds_service.answering.answer_state import States
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.cards import discrete
from cds_service.cards.cards import EXTENSION
from cds_service.hooks import card as cards
from cds_service.hooks import request as hook_request
from cds_service.hooks.request import HookRequest
from cds_service.operations import metrics
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Hook, ModeInForce
from cds_service.trust import json_limits
from cds_service.trust.body import Received
from cds_service.trust.client_jwt import Caller
from cds_service.trust.errors import DataUnobtainable
from cds_service.trust.retries import Request, RetryCache
from fhir_mappings.patient.patient_record import WrongPatientError

SILENCE_EXTENSION = "io.surgical-risk.silence"
# Inferno's suite fails these without the member, empty though it is; nobody else is sent it (DEC-09, Y-03).
_WITH_SYSTEM_ACTIONS = ("order-sign", "appointment-book")
_CASE_OPEN = b"case-open"


class CallDesk(msgspec.Struct, frozen=True):
    """What answering needs that lives as long as the worker; sites by tenant id."""

    sites: Mapping[str, TenantRuntime]
    in_force: ModelsInForce
    records: Records
    retries: RetryCache
    states: States


class ModeDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call: the answer under the mode in force, and whether its reason may be told.

    `key`: what makes its card the same as another (told_before.key).
    """

    given: Answer
    mode: ModeInForce | None
    may_explain: bool
    key: str | None = None


class Taken(msgspec.Struct, frozen=True):
    """The hook that was called, the response as JSON, and the milliseconds of each step where it was computed."""

    hook: str
    response: bytes
    milliseconds: Mapping[str, float] = {}


def answer_call(
    sent: Received, *, caller: Caller, desk: CallDesk, received: datetime, hooks: tuple[Hook, ...]
) -> Taken:
    """The response to a body. The same request again gets the same bytes as long as what they rest on is the same.

    `hooks`: those that the id that was called stands for. Raises ServiceError. (DEC-17)
    """
    gate.check_accountable(desk.records)
    body, site = sent.body, desk.sites[caller.tenant.id]
    switches = gate.switches_now(desk.records, site.tenant)
    state = desk.states.under(site, switches, desk.in_force.knowledge, received)
    json_limits.check(body, caller.tenant.limits)
    request = hook_request.read_request(body, offered=hooks)
    is_killed = gate.is_killed(site.tenant, switches)  # then nothing is asked
    is_open = not is_killed and open_cases.is_open(site, desk.records, request.context.patient_id, received)
    same = Request(caller.tenant.id, body, state + _CASE_OPEN if is_open else state)
    if (again := desk.retries.find(same)) is not None:
        metrics.retries.labels(caller.tenant.id).inc()
        return Taken(request.hook, again)
    taken = _answered(evaluation_row.Call(request, caller, received, sent.since, is_open), desk, same)
    switches = gate.switches_now(desk.records, site.tenant)
    if desk.states.under(site, switches, desk.in_force.knowledge, received) == state:
        desk.retries.keep(same, taken.response)
    return taken


def _answered(call: evaluation_row.Call, desk: CallDesk, same: Request) -> Taken:
    site, hook = desk.sites[call.caller.tenant.id], call.request.hook
    try:
        outcome = _outcome(call, site, desk, same)
        response = _encoded(outcome, site, hook)
    except Exception as error:
        desk.records.write_evaluation(evaluation_row.of_failure(call, error))
        raise
    desk.records.write_evaluation(evaluation_row.of_answer(call, outcome.given, outcome.mode, key=outcome.key))
    return Taken(hook, response, outcome.given.milliseconds)


def _outcome(call: evaluation_row.Call, site: TenantRuntime, desk: CallDesk, same: Request) -> ModeDecision:
    tenant, request, received = site.tenant, call.request, call.received
    switches = gate.switches_now(desk.records, tenant)
    shut = gate.before(tenant, site.zone, request.hook, received, switches)
    if shut.reason is not None:
        return ModeDecision(given=Answer(silence=shut.reason), mode=shut.mode, may_explain=tenant.explain_silence)
    given = open_cases.SILENT if call.case_open else _computed(request, site, desk, received, call.started)
    key = told_before.key(given, request)
    group = _group(given)
    context = request.context
    decided = gate.after(tenant, request.hook, group, context.user_id, switches, patient=context.patient_id)
    if decided.reason is None:  # asked again: the models may have been replaced while it was computed
        switches = gate.switches_now(desk.records, tenant)
        decided = gate.after(tenant, request.hook, group, context.user_id, switches, patient=context.patient_id)
    if given.silence is None and decided.reason is not None:
        given = msgspec.structs.replace(given, silence=decided.reason)
    elif given.silence is None:
        given = told_before.as_before(given, key, site, desk.records, received)
        given = told_before.as_elsewhere(given, key, same.name, call, site, desk.records)
    explains = tenant.explain_silence and decided.reason is None
    return ModeDecision(given=given, mode=decided.mode, may_explain=explains, key=key)


def _group(given: Answer) -> str | None:
    """Of the operation that is told of; a card that names a gap has no assessment, and its mode holds all the same."""
    if given.assessment is not None:
        return given.assessment.procedure.group
    orders = given.orders
    return orders[0].group if given.card is not None and isinstance(orders, tuple) and orders else None


def _computed(request: HookRequest, site: TenantRuntime, desk: CallDesk, received: datetime, since: float) -> Answer:
    try:
        return computing.bounded(
            lambda: answer(request, site=site, knowledge=desk.in_force.knowledge, received=received, since=since)
        )
    except DataUnobtainable as error:
        if site.tenant.on_failure != "empty" or isinstance(error.__cause__, WrongPatientError):
            raise
        return Answer(silence="data-unobtainable")


def _encoded(outcome: ModeDecision, site: TenantRuntime, hook: str) -> bytes:
    given = outcome.given
    actions = () if hook in _WITH_SYSTEM_ACTIONS and site.tenant.vendor_profile == "inferno" else msgspec.UNSET
    if given.silence is None or not outcome.may_explain:
        shown = () if given.card is None or given.silence else (given.card,)
        return cards.encode(cards.CardsResponse(shown, msgspec.UNSET, actions))
    extension: dict[str, object] = {SILENCE_EXTENSION: {"reason": given.silence, "text": WORDS[given.silence]}}
    if given.assessment is not None and site.tenant.discrete_result:
        extension[EXTENSION] = discrete.of(given.assessment)
    return cards.encode(cards.CardsResponse((), extension, actions))
