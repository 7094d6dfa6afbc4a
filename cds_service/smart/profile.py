"""From a granted launch to the assessment, under the mode in force, kept in the record as every answer is."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import datetime

import msgspec

from cds_service.advice.choice import Advising
from cds_service.answer import Answer, answer
from cds_service.answering import computing, evaluation_row, gate, open_cases
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.hooks.request import Authorization, HookOrder, HookRequest, OrderContext
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from cds_service.smart import orders
from cds_service.smart.faults import LaunchError
from cds_service.smart.launch import Granted
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import ModeInForce
from cds_service.trust.client_jwt import Caller
from cds_service.trust.seal import Seal
from models_onnx.registry import Registry

# In the record, beside the hooks: the profile is opened by a person and is no CDS Hooks call.
HOOK = "smart-launch"
_EVERY_OPTION = 100


class ProfileDesk(msgspec.Struct, frozen=True):
    """What the profile needs: sites by tenant id, the models, the record of earlier answers, and the seal."""

    sites: Mapping[str, TenantRuntime]
    in_force: ModelsInForce
    records: Records
    seal: Seal


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A profile for its page: what is answered now, and the answer that the card gave, where it came from one.

    `models`: those in force, which say what each value of a missing category would mean.
    """

    site: TenantRuntime
    answered: Answer
    card: EvaluationRow | None = None
    needs_banner: bool = True
    models: Registry


def open_for(granted: Granted, site: TenantRuntime, desk: ProfileDesk, received: datetime) -> Opened:
    """The same way as the card's, with data fetched now. Raises LaunchError and ServiceError; both are recorded."""
    kept = _of_card(granted, site, desk.records)
    request = _request(granted, orders.considered(granted, kept, site, received))
    call = evaluation_row.Call(request, Caller(site.tenant, granted.issuer), received, time.monotonic())
    try:
        given, mode = _under_mode(request, kept, site, desk, received)
    except Exception as error:
        desk.records.write_evaluation(evaluation_row.of_failure(call, error))
        raise
    desk.records.write_evaluation(evaluation_row.of_profile(call, given, mode))
    return Opened(
        site=site, answered=given, card=kept, needs_banner=granted.needs_banner, models=desk.in_force.knowledge.models
    )


def _of_card(granted: Granted, site: TenantRuntime, records: Records) -> EvaluationRow | None:
    """The answer whose card was clicked: only of this tenant, and only for the patient who is open."""
    kept = records.evaluation(granted.app_context) if granted.app_context else None
    if kept is None or kept.tenant_id != site.tenant.id or kept.result is None:
        return None
    if kept.patient_id != granted.patient_id:
        raise LaunchError(
            "wrong-patient", "The card was about another patient than the one who is open. Please open the card again."
        )
    return kept


def _request(granted: Granted, considered: tuple[HookOrder, ...]) -> HookRequest:
    return HookRequest(
        hook=HOOK,
        hook_instance=str(uuid.uuid4()),
        context=OrderContext(
            user_id=granted.user or "",
            patient_id=granted.patient_id,
            encounter_id=granted.encounter_id,
            considered=considered,
            drafts=considered,
        ),
        prefetch={},
        fhir_server=granted.issuer,
        authorization=Authorization(token=granted.token, expires_in_s=granted.expires_in_s),
    )


def _under_mode(
    request: HookRequest, kept: EvaluationRow | None, site: TenantRuntime, desk: ProfileDesk, received: datetime
) -> tuple[Answer, ModeInForce | None]:
    """What may be shown: the mode is that of the hook whose card was clicked, else of the tenant's first hook."""
    gate.check_accountable(desk.records)
    tenant, switches = site.tenant, gate.switches_now(desk.records, site.tenant)
    hook = gate.hook_of(tenant, kept.hook if kept is not None else HOOK)
    shut = gate.before(tenant, site.zone, hook, received, switches)
    if shut.reason is not None:
        return Answer(silence=shut.reason), shut.mode
    context = request.context
    if open_cases.is_open(site, desk.records, context.patient_id, received):
        given = open_cases.SILENT
    else:
        given = computing.bounded(
            lambda: answer(request, site=_whole(site), knowledge=desk.in_force.knowledge, received=received)
        )
    group = given.assessment.procedure.group if given.assessment else None
    decided = gate.after(tenant, hook, group, context.user_id, switches, patient=context.patient_id)
    if decided.reason is None:  # asked again: the models may have been replaced while it was computed
        switches = gate.switches_now(desk.records, tenant)
        decided = gate.after(tenant, hook, group, context.user_id, switches, patient=context.patient_id)
    if decided.reason is not None:
        given = msgspec.structs.replace(given, silence=decided.reason)
    return given, decided.mode


def _whole(site: TenantRuntime) -> TenantRuntime:
    """The floor and the three options are limits of a card that nobody asked for; the profile was asked for.

    It tells each blood test with its evidence.
    """
    policy = msgspec.structs.replace(site.advising.policy, maximum=_EVERY_OPTION, one_draw=False)
    advising: Advising = msgspec.structs.replace(site.advising, policy=policy)
    return msgspec.structs.replace(site, advising=advising, card_floors={})
