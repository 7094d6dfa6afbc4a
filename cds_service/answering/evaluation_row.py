"""The account of one call, for the record and the metrics: what was asked, what was answered, or why not."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import msgspec

from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.silence import Reason
from cds_service.answer import Answer
from cds_service.cards import discrete, suggestions
from cds_service.cards.cards import EXTENSION
from cds_service.hooks.request import HookRequest
from cds_service.operations import metrics
from cds_service.records.rows import CardRow, Decision, EvaluationRow, SuggestionRow
from cds_service.tenants.speech import JudgedRisk, Speech
from cds_service.tenants.tenant import ModeInForce
from cds_service.trust import time_ordered_id
from cds_service.trust.client_jwt import Caller
from cds_service.trust.errors import ServiceError
from fhir_mappings.orders.operation_codes import label
from fhir_mappings.orders.procedures import NoProcedure
from fhir_mappings.orders.unmapped_orders import UnmappedOrder
from models_onnx.score import Score

_MOST_CODES = 20  # of one call in the record; an order set of more has named its system by then


class Call(msgspec.Struct, frozen=True):
    """Who asked what, when; `started` on the monotonic clock. `case_open`: an operation of the patient runs."""

    request: HookRequest
    caller: Caller
    received: datetime
    started: float
    case_open: bool = False


def of_answer(call: Call, given: Answer, mode: ModeInForce | None, *, key: str | None = None) -> EvaluationRow:
    """The row of an answer, with a card or silent. `key`: what makes its card the same as another (told_before.key)."""
    row = msgspec.structs.replace(_of(call, given, mode), dedupe_key=key)
    _count(row)
    _count_orders(row.tenant_id, given)
    _count_unread(row.tenant_id, given)
    return row


def of_profile(call: Call, given: Answer, mode: ModeInForce | None) -> EvaluationRow:
    """The row of a risk profile: a page and no card, so nobody will answer it and no later card repeats it."""
    row = _of(call, given, mode)
    decision: Decision = "profile" if row.decision == "card" else row.decision
    row = msgspec.structs.replace(row, decision=decision, cards=())
    _count(row)
    return row


def _of(call: Call, given: Answer, mode: ModeInForce | None) -> EvaluationRow:
    assessment = given.assessment
    shown = given.card is not None and given.silence is None
    return EvaluationRow(
        **_who(call),
        **(_what(assessment, given) if assessment else {"id": time_ordered_id.draw(call.received)}),
        status=200,
        decision=_decision(given, shown=shown),
        reason=given.silence or _gap(given),
        mode=mode,
        milliseconds=given.milliseconds,
        unmapped=_unmapped_codes(given),
        cards=() if given.again else _cards(given, shown=shown),
    )


def _decision(given: Answer, *, shown: bool) -> Decision:
    """A card that stays while its order is edited is counted once."""
    if not shown:
        return "silence"
    return "again" if given.again else "card"


def of_failure(call: Call, error: Exception) -> EvaluationRow:
    """A call that failed is an evaluation too: nobody may think that it found nothing."""
    row = EvaluationRow(
        **_who(call),
        id=time_ordered_id.draw(call.received),
        status=error.status if isinstance(error, ServiceError) else 500,
        decision="error",
        reason=error.reason if isinstance(error, ServiceError) else "exception",
    )
    _count(row)
    return row


def _who(call: Call) -> dict[str, Any]:
    request = call.request
    return {
        "tenant_id": call.caller.tenant.id,
        "issuer": call.caller.issuer,
        "received_at": call.received,
        "hook": request.hook,
        "hook_instance": request.hook_instance,
        "user_reference": request.context.user_id or None,
        "patient_id": request.context.patient_id,
        "encounter_id": request.context.encounter_id,
        "total_ms": round(1000 * (time.monotonic() - call.started), 3),
    }


def _gap(given: Answer) -> Reason | None:
    """Why a card tells of a gap in place of a number."""
    return "required-input-missing" if given.card is not None and given.assessment is None else None


def _told(given: Answer) -> discrete.Result | None:
    """The discrete result as the card already has it."""
    return given.card.extension.get(EXTENSION) if given.card is not None and given.card.extension else None


def _what(assessment: Assessment, given: Answer) -> dict[str, Any]:
    headline = assessment.headline
    return {
        "id": assessment.assessment_id,
        "order_reference": assessment.procedure.order,
        "procedure_group": assessment.procedure.group,
        "outcome": headline.score.outcome if headline else None,
        "probability": headline.score.probability if headline else None,
        "band": headline.told_band if headline else None,
        "models": _models(assessment),
        "inputs": tuple([{"name": one.name, "status": one.status} for one in assessment.features.values()]),
        "result": kept_result(assessment, given),
    }


def _models(assessment: Assessment) -> tuple[dict[str, Any], ...]:
    """Every version that was scored with what it said: champions, challengers beside them (R-F09), the site's own."""
    return (
        *[_scored(score) for score in assessment.scores],
        *[{**_scored(score), "state": "challenger"} for score in assessment.challengers],
        *[{**_scored(one.score), "state": "added"} for one in assessment.added],
    )


def _scored(score: Score) -> dict[str, Any]:
    told: dict[str, Any] = {
        "model": score.model,
        "version": score.version,
        "sha256": score.sha256,
        "outcome": score.outcome,
        "status": score.status,
    }
    if score.probability is not None:
        told["probability"] = score.probability
        if score.recalibration is not None:
            told |= {"rawProbability": score.raw_probability, "recalibration": score.recalibration.number}
    elif score.points is not None:
        told["points"] = score.points
    elif score.points_range is not None:
        told["pointsRange"] = [score.points_range.low, score.points_range.high]
    elif score.status == "range" and score.missing_range is not None:
        told["range"] = [score.missing_range.low, score.missing_range.high]
    return told


def kept_result(of: Assessment, given: Answer) -> discrete.Result:
    """The result with what only the record needs: the operation's day and length, to ask the same again for the

    risk profile; and what its card hung on, to tell what other limits would have done.
    """
    told, planned = _told(given) or discrete.of(of), of.procedure
    known = msgspec.structs.replace(
        told.procedure, occurrence=planned.occurrence or None, duration_hours=planned.duration_h
    )
    return msgspec.structs.replace(
        told, procedure=known, speech=Speech(tuple(map(_judged, of.estimates)), given.opened)
    )


def _judged(one: Estimate) -> JudgedRisk:
    heads = one.outcome.may_head and one.score.has_figure
    frequency = one.outcome.frequency if heads else "none"
    return JudgedRisk(one.outcome.name, one.spoken_of, one.low, one.usual, frequency)


def _cards(given: Answer, *, shown: bool) -> tuple[CardRow, ...]:
    card = given.card
    if card is None:
        return ()
    offered = tuple(SuggestionRow(uuid, rule) for uuid, rule in suggestions.rules(card, given.options).items())
    topic = card.source.topic.code if card.source.topic else None
    return (CardRow(uuid=card.uuid, indicator=card.indicator, topic=topic, shown=shown, suggestions=offered),)


def _unmapped(given: Answer) -> tuple[UnmappedOrder, ...]:
    """The orders that may be operations and that nothing was said about."""
    orders = given.orders
    if isinstance(orders, NoProcedure):
        return orders.unmapped
    return orders[0].unmapped if orders else ()


def _unmapped_codes(given: Answer) -> tuple[tuple[str, str], ...]:
    """Their codes, each once; ("", "") for an order that has none."""
    pairs = (pair for one in _unmapped(given) for pair in ([*map(msgspec.structs.astuple, one.codes)] or [("", "")]))
    return tuple(dict.fromkeys(pairs))[:_MOST_CODES]


def _count_orders(tenant: str, given: Answer) -> None:
    for planned in () if isinstance(given.orders, NoProcedure) else given.orders:
        metrics.orders.labels(tenant, label(planned.system), "mapped").inc()
    for one in _unmapped(given):
        metrics.orders.labels(tenant, label(one.codes[0].system if one.codes else ""), "unmapped").inc()


def _count_unread(tenant: str, given: Answer) -> None:
    for key, missed in given.record.not_understood.lists.items() if given.record else ():
        metrics.unread_entries.labels(tenant, key).inc(missed.entries)


def _count(row: EvaluationRow) -> None:
    metrics.answers.labels(row.tenant_id, row.hook, row.decision, row.reason or "").inc()
    for step, milliseconds in row.milliseconds.items():
        metrics.step(step).observe(milliseconds / 1000)
