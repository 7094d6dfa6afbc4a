"""JSON to HookRequest: the envelope first (400), then the context of its hook (422)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cds_service.hooks.context import HookOrder, OrderContext, decode, read_context
from cds_service.trust import json_names
from cds_service.trust.errors import BadRequest, InvalidContext
from cds_service.trust.secret import Secret

__all__ = ["Authorization", "HookOrder", "HookRequest", "OrderContext", "read_request"]


_ABSENT = msgspec.Raw(b"")


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


class _Sent(msgspec.Struct):
    """The envelope as it stands in the body: cut apart in one pass, each member still JSON."""

    hook: msgspec.Raw = _ABSENT
    hookInstance: msgspec.Raw = _ABSENT
    context: msgspec.Raw = _ABSENT
    fhirServer: msgspec.Raw = _ABSENT
    fhirAuthorization: msgspec.Raw = _ABSENT
    extension: msgspec.Raw = _ABSENT
    prefetch: dict[str, msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET


class _Envelope(msgspec.Struct):
    hook: str
    hookInstance: str
    context: msgspec.Raw
    fhirServer: str | None = None
    fhirAuthorization: _Authorization | None = None


_sent = msgspec.json.Decoder(_Sent)
_envelopes = msgspec.json.Decoder(_Envelope)
_SMALL_MEMBERS = tuple(name for name in _Sent.__struct_fields__ if name != "prefetch")
_NOT_ONE = "The body is not a CDS Hooks request"


def read_request(body: bytes, *, offered: tuple[str, ...]) -> HookRequest:
    """The request in `body`; BadRequest or InvalidContext name the member that is wrong, never its value."""
    sent = decode(_sent, body, BadRequest, _NOT_ONE)
    members = {name: value for name in _SMALL_MEMBERS if (value := getattr(sent, name))}
    prefetch = sent.prefetch or {}
    json_names.refuse_repeated_names(body, members, None if sent.prefetch is msgspec.UNSET else prefetch)
    small = b",".join(b'"%s":%s' % (name.encode(), bytes(value)) for name, value in members.items())
    envelope = decode(_envelopes, b"{%s}" % small, BadRequest, _NOT_ONE)
    if envelope.hook not in offered:
        raise BadRequest("The hook is not offered by this service.", diagnostics=f"offered: {', '.join(offered)}")
    if not 0 < len(envelope.hookInstance) <= 128:
        raise BadRequest(f"{_NOT_ONE}.", diagnostics="hookInstance: 1 to 128 characters")
    if bytes(envelope.context)[:1] != b"{":
        raise BadRequest(f"{_NOT_ONE}.", diagnostics="context: not an object")
    if envelope.fhirAuthorization is not None and not envelope.fhirServer:
        raise BadRequest(f"{_NOT_ONE}.", diagnostics="fhirAuthorization without fhirServer")
    context = read_context(envelope.hook, bytes(envelope.context))
    authorization = _authorization(envelope.fhirAuthorization, context.patient_id)
    unusable = envelope.fhirAuthorization is not None and authorization is None
    return HookRequest(
        hook=envelope.hook,
        hook_instance=envelope.hookInstance,
        context=context,
        prefetch=prefetch,
        fhir_server=None if unusable or not _is_address(envelope.fhirServer) else envelope.fhirServer,
        authorization=authorization,
    )


def _is_address(text: str | None) -> bool:
    """Whether it can be taken apart as a URL is; what may be asked there is decided by trust.egress."""
    try:
        return bool(text) and bool(urlsplit(text).hostname)
    except ValueError:
        return False


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
