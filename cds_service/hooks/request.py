"""JSON to HookRequest: the envelope first (400), then the context of its hook (422)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cds_service.hooks.context import Order, OrderContext, decode
from cds_service.hooks.context import read as read_context
from cds_service.hooks.errors import BadRequest, InvalidContext
from cds_service.trust.secret import Secret

__all__ = ["Authorization", "HookRequest", "Order", "OrderContext", "read"]


class Authorization(msgspec.Struct, frozen=True):
    """The lent token: for `fhirServer` only, for this request only; it prints as dots."""

    token: Secret
    expires_in_s: int | None = None
    patient: str | None = None


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


_envelopes = msgspec.json.Decoder(_Envelope)


def read(body: bytes, *, offered: tuple[str, ...]) -> HookRequest:
    """The request in `body`; BadRequest or InvalidContext name the member that is wrong, never its value."""
    envelope = decode(_envelopes, body, BadRequest, "The body is not a CDS Hooks request")
    if envelope.hook not in offered:
        raise BadRequest("The hook is not offered by this service.", diagnostics=f"offered: {', '.join(offered)}")
    if not 0 < len(envelope.hookInstance) <= 128:
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="hookInstance: 1 to 128 characters")
    if bytes(envelope.context)[:1] != b"{":
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="context: not an object")
    if envelope.fhirAuthorization is not None and not envelope.fhirServer:
        raise BadRequest("The body is not a CDS Hooks request.", diagnostics="fhirAuthorization without fhirServer")
    context = read_context(envelope.hook, bytes(envelope.context))
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
