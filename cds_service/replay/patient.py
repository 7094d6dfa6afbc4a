"""From one patient's resources to the rows of their past orders: a pure function, the same in every runner."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Raw, Struct

from cds_service.answer import Answer, Knowledge, answer
from cds_service.answering import evaluation_row
from cds_service.hooks.context import HookOrder, OrderContext, is_fhir_id, order
from cds_service.hooks.request import HookRequest
from cds_service.replay.chart import NO_REPLAY_AHEAD, NOTHING_READ, PatientChart, read_chart
from cds_service.replay.past_orders import Signing, signings
from cds_service.replay.row import ReplayedRow, encoded
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.errors import ServiceError
from fhir_mappings.fhir.clock import clock
from fhir_mappings.orders import procedures
from fhir_mappings.orders.procedures import NoProcedure
from fhir_mappings.patient.patient_record import WrongPatientError

_NO_HURRY_S = 86_400.0  # a replay has no clinician who waits: a slow machine changes no row
_IDS = uuid.UUID("6f5c7b1e-4f0d-5a53-9d8e-2b1a7c90e4d1")
_ZONE_ONLY = datetime(2000, 1, 1, tzinfo=UTC)
NOT_SURGICAL = "orders-not-surgical"
_OPERATION, _UNKNOWN = "operation", "unknown"


class Setting(Struct, frozen=True):
    """By what everybody is answered: tenant, models, and what the export holds (`provided`: resource types)."""

    site: TenantRuntime
    knowledge: Knowledge
    provided: frozenset[str]
    procedures_too: bool = False


class Replayed(Struct, frozen=True):
    """The rows of one patient, a line of JSON each, and what was counted beside them."""

    rows: tuple[bytes, ...]
    counts: Counter[str]


def unhurried(site: TenantRuntime) -> TenantRuntime:
    """The tenant without deadlines, else as it is."""
    tenant = msgspec.structs.replace(site.tenant, deadline_s=_NO_HURRY_S)
    return msgspec.structs.replace(site, tenant=tenant)


def replay(patient_id: str, resources: Iterable[Raw], setting: Setting) -> Replayed:
    """One row for each signing in which there was, or may have been, an operation; nothing later than it is read.

    `setting.site`: as `unhurried` has it. Rows hold no id that is drawn, and no time of computing.
    """
    resources = tuple(resources)
    counts: Counter[str] = Counter(patients=1)
    now = clock(_ZONE_ONLY, setting.site.zone, NO_REPLAY_AHEAD)
    asked = signings(resources, now, procedures_too=setting.procedures_too, counts=counts)
    surgical = [(one, of) for one in asked if (of := _operation(one, patient_id, setting.site)) != NOT_SURGICAL]
    counts[NOT_SURGICAL] += len(asked) - len(surgical)
    if not surgical:
        return Replayed((), +counts)
    chart = read_chart(resources, setting.site, setting.provided, now)
    rows = [_row(patient_id, one, chart, setting, of == _OPERATION) for one, of in surgical]
    counts.update(row.decision for row in rows)
    return Replayed(tuple(encoded(row) for row in rows), +counts)


def _operation(signing: Signing, patient_id: str, site: TenantRuntime) -> str:
    """Whether the patient's data are asked for, no operation is known among the orders, or none is there."""
    drafts = [one.draft for one in signing.orders]
    try:
        found = procedures.planned(drafts, patient_id=patient_id, maps=site.maps, value_sets=site.value_sets)
    except WrongPatientError:
        return _OPERATION  # the answer tells it
    if isinstance(found, NoProcedure) and not site.tenant.speaks_of_chart:
        return NOT_SURGICAL if found.reason == "not-surgical" else _UNKNOWN
    return _OPERATION


def _row(patient_id: str, signing: Signing, chart: PatientChart, setting: Setting, reads: bool) -> ReplayedRow:
    tenant = setting.site.tenant.id
    first = signing.orders[0]
    encounter = next((one.encounter for one in signing.orders if one.encounter and is_fhir_id(one.encounter)), None)
    without = frozenset(one.stood for one in signing.orders)
    then = chart.at(signing.as_of, encounter=encounter, without=without) if reads else NOTHING_READ
    name = "\n".join((tenant, patient_id, signing.as_of.astimezone(UTC).isoformat(), *_references(signing)))
    row = ReplayedRow(
        id=str(uuid.uuid5(_IDS, name)),
        tenant=tenant,
        patient=patient_id,
        orders=_references(signing),
        as_of=signing.as_of.astimezone(UTC),
        day_only=signing.day_only,
        undecided=dict(then.undecided),
    )
    request = HookRequest(
        hook="order-sign",
        hook_instance=row.id,
        context=_context(patient_id, encounter, first.requester, [one.draft for one in signing.orders]),
        prefetch=then.prefetch,
    )
    return answered(row, request, setting)


def answered(row: ReplayedRow, request: HookRequest, setting: Setting) -> ReplayedRow:
    """The row with what the live functions answer to the request as of its instant."""
    try:
        given = answer(request, site=setting.site, knowledge=setting.knowledge, received=row.as_of)
    except ServiceError as error:
        return msgspec.structs.replace(row, decision="error", reason=error.reason)
    except Exception as error:  # noqa: BLE001 — one order that fails is told as that, and ends no other
        return msgspec.structs.replace(row, decision="error", reason=f"exception {type(error).__name__}")
    return _told(row, given)


def _told(row: ReplayedRow, given: Answer) -> ReplayedRow:
    shown = given.card is not None and given.silence is None
    row = msgspec.structs.replace(row, decision="card" if shown else "silence", reason=given.silence)
    if given.card is not None:
        row = msgspec.structs.replace(
            row,
            indicator=given.card.indicator,
            summary=given.card.summary,
            detail=given.card.detail,
            suggestions=tuple(one.label for one in given.card.suggestions),
        )
    if given.assessment is None:
        return row
    headline = given.assessment.headline
    return msgspec.structs.replace(
        row,
        group=given.assessment.procedure.group,
        outcome=headline.score.outcome if headline else None,
        probability=headline.score.probability if headline else None,
        band=headline.told_band if headline else None,
        result=msgspec.structs.replace(evaluation_row.kept_result(given.assessment, given), assessment_id=row.id),
    )


def _references(signing: Signing) -> tuple[str, ...]:
    return tuple(one.reference for one in signing.orders)


def _context(patient_id: str, encounter: str | None, user: str, drafts: Sequence[Raw]) -> OrderContext:
    orders: tuple[HookOrder, ...] = tuple(one for draft in drafts if (one := order(draft)) is not None)
    return OrderContext(user_id=user, patient_id=patient_id, encounter_id=encounter, considered=orders, drafts=orders)
