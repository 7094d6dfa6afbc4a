"""JSON to HookRequest: the envelope first (400), then the context of its hook (422)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

import msgspec

from cds_service.hooks.errors import BadRequest, InvalidContext
from cds_service.trust.secret import Secret

T = TypeVar("T")


class Authorization(msgspec.Struct, frozen=True):
    """The lent token: for `fhirServer` only, for this request only; it prints as dots."""

    token: Secret
    expires_in_s: int | None = None
    patient: str | None = None


class Order(msgspec.Struct, frozen=True):
    """One draft of the ordering session, still as JSON."""

    resource_type: str
    id: str | None
    resource: msgspec.Raw

    @property
    def reference(self) -> str:
        """`Type/id`, as `selections` names it."""
        return f"{self.resource_type}/{self.id}"


class OrderContext(msgspec.Struct, frozen=True, kw_only=True):
    """The context of order-select and order-sign; `considered` are the orders that advice is about."""

    user_id: str
    patient_id: str
    encounter_id: str | None
    considered: tuple[Order, ...]
    drafts: tuple[Order, ...]


class HookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the service, read but not yet understood clinically."""

    hook: str
    hook_instance: str
    context: OrderContext
    prefetch: Mapping[str, msgspec.Raw]
    fhir_server: str | None = None
    authorization: Authorization | None = None


class _Authorization(msgspec.Struct):
    access_token: str | None = None
    token_type: str | None = None
    expires_in: int | float | None = None
    scope: Any = None
    subject: Any = None
    patient: str | None = None


class _Envelope(msgspec.Struct):
    hook: str
    hookInstance: str
    context: msgspec.Raw
    prefetch: dict[str, msgspec.Raw] | None = None
    fhirServer: str | None = None
    fhirAuthorization: _Authorization | None = None


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _Bundle(msgspec.Struct):
    resourceType: Literal["Bundle"]
    entry: list[_Entry] | None = None


class _Context(msgspec.Struct):
    userId: str
    patientId: str
    draftOrders: _Bundle
    encounterId: str | None = None
    selections: list[str] | None = None


class _Head(msgspec.Struct):
    resourceType: str
    id: str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_contexts = msgspec.json.Decoder(_Context)
_heads = msgspec.json.Decoder(_Head)


def read(body: bytes, *, offered: tuple[str, ...]) -> HookRequest:
    """The request in `body`; BadRequest or InvalidContext name the member that is wrong, never its value."""
    envelope = _decode(_envelopes, body, BadRequest, "The body is not a CDS Hooks request")
    if envelope.hook not in offered:
        raise BadRequest("The hook is not offered by this service.", diagnostics=f"offered: {', '.join(offered)}")
    if not 0 < len(envelope.hookInstance) <= 128:
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="hookInstance: 1 to 128 characters")
    if bytes(envelope.context)[:1] != b"{":
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="context: not an object")
    if envelope.fhirAuthorization is not None and not envelope.fhirServer:
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="fhirAuthorization without fhirServer")
    context = _order_context(envelope.hook, bytes(envelope.context))
    authorization = _authorization(envelope.fhirAuthorization, context.patient_id)
    unusable = envelope.fhirAuthorization is not None and authorization is None
    return HookRequest(
        hook=envelope.hook,
        hook_instance=envelope.hookInstance,
        context=context,
        prefetch=envelope.prefetch or {},
        fhir_server=None if unusable else envelope.fhirServer or None,
        authorization=authorization,
    )


def _decode(decoder: msgspec.json.Decoder[T], body: bytes, error: type[BadRequest | InvalidContext], what: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as problem:
        raise error(f"{what}.", diagnostics=str(problem)) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadRequest("The body is not JSON.") from problem


def _order_context(hook: str, raw: bytes) -> OrderContext:
    context = _decode(_contexts, raw, InvalidContext, f"The context is not one of {hook}")
    patient_id = context.patientId.removeprefix("Patient/")
    if not patient_id or "/" in patient_id or ":" in patient_id:
        raise InvalidContext("context.patientId is not the id of a patient.")
    drafts = tuple(order for entry in context.draftOrders.entry or () if (order := _order(entry)) is not None)
    if hook != "order-select":
        considered = drafts
    elif context.selections is None:
        raise InvalidContext("The context is not one of order-select.", diagnostics="selections is missing")
    else:
        considered = _selected(context.selections, drafts)
    return OrderContext(
        user_id=context.userId,
        patient_id=patient_id,
        encounter_id=(context.encounterId or "").removeprefix("Encounter/") or None,
        considered=considered,
        drafts=drafts,
    )


def _order(entry: _Entry) -> Order | None:
    """The draft of an entry; None for an entry that holds no resource (HS-7)."""
    try:
        head = _heads.decode(entry.resource)
    except msgspec.ValidationError:
        return None
    return Order(resource_type=head.resourceType, id=head.id, resource=entry.resource)


def _selected(selections: list[str], drafts: tuple[Order, ...]) -> tuple[Order, ...]:
    """The drafts that `selections` names, by `Type/id`, or by a bare id where only one draft has it (DEC-25)."""
    names = {selection.rsplit("/_history/", 1)[0] for selection in selections}
    ids = [draft.id for draft in drafts]
    return tuple(
        draft
        for draft in drafts
        if draft.id is not None and (draft.reference in names or (draft.id in names and ids.count(draft.id) == 1))
    )


def _authorization(given: _Authorization | None, patient_id: str) -> Authorization | None:
    """The lent token; None where it cannot be used (DEC-15)."""
    if given is None:
        return None
    if given.patient is not None and given.patient.removeprefix("Patient/") != patient_id:
        raise InvalidContext("fhirAuthorization.patient is not the patient of the context.")
    if not given.access_token or (given.token_type or "").lower() != "bearer":
        return None
    expires_in_s = None if given.expires_in is None else int(given.expires_in)
    if expires_in_s is not None and expires_in_s <= 0:
        return None
    return Authorization(token=Secret(given.access_token), expires_in_s=expires_in_s, patient=given.patient)
