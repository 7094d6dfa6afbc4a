"""One call of the service by a known caller: answered under the mode in force, shown once, kept and counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from cds_service import account
from cds_service.advice import discrete
from cds_service.advice.cards import EXTENSION
from cds_service.advice.silence import WORDS, Reason
from cds_service.answer import Answer, answer
from cds_service.answer_state import States
from cds_service.hooks import card as cards
from cds_service.hooks import request as hook_request
from cds_service.hooks.errors import DataUnobtainable, NotReady
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import offered
from cds_service.models_in_force import InForce
from cds_service.operations import metrics, modes
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.records.switches import Switches
from cds_service.site import Site
from cds_service.tenant import Mode
from cds_service.trust import json_limits
from cds_service.trust.body import Received
from cds_service.trust.client_jwt import Caller
from cds_service.trust.retries import Request, RetryCache
from fhir_mappings.patient_record import WrongPatientError

SILENCE_EXTENSION = "io.surgical-risk.silence"
# Inferno's suite fails these without the member, empty though it is; nobody else is sent it (DEC-09, Y-03).
_WITH_SYSTEM_ACTIONS = ("order-sign", "appointment-book")


class Desk(msgspec.Struct, frozen=True):
    """What answering needs that lives as long as the worker; sites by tenant id."""

    sites: Mapping[str, Site]
    in_force: InForce
    records: Records
    retries: RetryCache
    states: States


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call: the answer under the mode in force, and whether its reason may be told."""

    given: Answer
    mode: Mode | None
    may_explain: bool


class Taken(msgspec.Struct, frozen=True):
    """The hook that was called, the response as JSON, and the milliseconds of each step where it was computed."""

    hook: str
    response: bytes
    milliseconds: Mapping[str, float] = {}


def take(sent: Received, *, caller: Caller, desk: Desk, received: datetime) -> Taken:
    """The response to a body; the same request again gets the same bytes (DEC-17), as long as what its answer rests on

    is the same. Raises ServiceError.
    """
    body = sent.body
    site, knowledge = desk.sites[caller.tenant.id], desk.in_force.knowledge
    state = desk.states.under(site, switches_now(desk.records), knowledge, received)
    same = Request(caller.tenant.id, body, state)
    again = desk.retries.find(same)
    json_limits.check(body, caller.tenant.limits)
    request = hook_request.read(body, offered=offered(caller.tenant.hooks))
    if again is not None:
        metrics.retries.labels(caller.tenant.id).inc()
        return Taken(request.hook, again)
    taken = _answered(request, caller, desk, received, sent.since)
    desk.retries.keep(same, taken.response)
    return taken


def _answered(request: HookRequest, caller: Caller, desk: Desk, received: datetime, since: float) -> Taken:
    site = desk.sites[caller.tenant.id]
    call = account.Call(request, caller, received, since)
    try:
        outcome = _outcome(request, site, desk, received, since)
        response = _encoded(outcome, site, request.hook)
    except Exception as error:
        desk.records.write_evaluation(account.of_failure(call, error))
        raise
    desk.records.write_evaluation(account.of_answer(call, outcome.given, outcome.mode))
    return Taken(request.hook, response, outcome.given.milliseconds)


def _outcome(request: HookRequest, site: Site, desk: Desk, received: datetime, since: float) -> Outcome:
    tenant = site.tenant
    switches = switches_now(desk.records)
    if modes.is_killed(tenant.id, switches):
        return Outcome(given=Answer(silence="kill-switch"), mode=None, may_explain=tenant.explain_silence)
    off = request.hook not in tenant.hooks or tenant.is_retired(received.astimezone(site.zone).date())
    if off or modes.is_off(tenant, request.hook, switches):
        return Outcome(given=Answer(silence="mode-off"), mode="off", may_explain=tenant.explain_silence)
    given = _computed(request, site, desk, received, since)
    group = given.assessment.procedure.group if given.assessment else None
    mode = modes.mode_for(tenant, request.hook, group, switches)
    withheld = withheld_by_mode(mode, request, site) or _shown_before(given, request, site, desk.records)
    shows = mode in ("on", "canary") and withheld not in ("mode-silent", "mode-canary")
    if withheld is not None and given.silence is None:
        given = msgspec.structs.replace(given, silence=withheld)
    return Outcome(given=given, mode=mode, may_explain=tenant.explain_silence and shows)


def _computed(request: HookRequest, site: Site, desk: Desk, received: datetime, since: float) -> Answer:
    try:
        return answer(request, site=site, knowledge=desk.in_force.knowledge, received=received, since=since)
    except DataUnobtainable as error:
        if site.tenant.on_failure != "empty" or isinstance(error.__cause__, WrongPatientError):
            raise
        return Answer(silence="data-unobtainable")


def switches_now(records: Records) -> Switches:
    """What is switched; NotReady where nobody can tell, for nothing may then be shown."""
    try:
        return records.switches.current()
    except DatabaseError as error:
        raise NotReady("The service cannot answer now.", retry_after_s=5) from error


def withheld_by_mode(mode: Mode, request: HookRequest, site: Site) -> Reason | None:
    """Why this user is not shown what was computed; None where the mode lets it pass (R-E01)."""
    if mode == "off":
        return "mode-off"
    if mode == "silent":
        return "mode-silent"
    if mode == "canary" and not modes.is_selected(site.tenant.canary, site.tenant.id, request.context.user_id):
        return "mode-canary"
    return None


def _shown_before(given: Answer, request: HookRequest, site: Site, records: Records) -> Reason | None:
    """Same user, patient, operation, model and band within the window; at signing an open suggestion is shown again.

    Open is what was shown, what nobody accepted or turned down, and what is still worth offering now.
    """
    window_s = site.tenant.dedupe_window_s
    key = account.dedupe_key(given, request)
    if given.card is None or key is None or window_s <= 0 or given.assessment is None:
        return None
    since = given.assessment.as_of - timedelta(seconds=window_s)
    try:
        shown = records.last_shown(site.tenant.id, key, since=since)
    except DatabaseError:
        return None
    still_offered = {option.id for option in given.options}
    if shown is None or (shown.hook != request.hook and still_offered.intersection(shown.open_suggestions)):
        return None
    return "dedupe"


def _encoded(outcome: Outcome, site: Site, hook: str) -> bytes:
    given = outcome.given
    actions = () if hook in _WITH_SYSTEM_ACTIONS and site.tenant.vendor_profile == "inferno" else msgspec.UNSET
    if given.silence is None or not outcome.may_explain:
        shown = () if given.card is None or given.silence else (given.card,)
        return cards.encode(cards.CardsResponse(shown, msgspec.UNSET, actions))
    extension: dict[str, object] = {SILENCE_EXTENSION: {"reason": given.silence, "text": WORDS[given.silence]}}
    if given.assessment is not None and site.tenant.discrete_result:
        extension[EXTENSION] = discrete.of(given.assessment)
    return cards.encode(cards.CardsResponse((), extension, actions))
