"""The context of each hook, typed as its definition has it, read into one form: who asks, for whom, about which orders.

Source: the definitions of order-select, order-sign, appointment-book and patient-view, https://cds-hooks.hl7.org/hooks/
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

import msgspec

from cds_service.trust.errors import BadRequest, InvalidContext

T = TypeVar("T")
# https://hl7.org/fhir/R4/datatypes.html#id; what has another form reaches no query and no record.
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_MOST_USER_CHARACTERS = 256
Place = Literal["draftOrders", "appointments", "prefetch", "fetched"]
# Why none of the drafts can be spoken of, where the chart's operation is instead (cds_service/chart_orders.py).
InsteadOf = Literal["not-surgical", "unmapped-procedure"]


class HookOrder(msgspec.Struct, frozen=True):
    """One order, still as JSON: a draft of the session, an appointment being booked, or an open order of the chart."""

    resource_type: str
    id: str | None
    resource: msgspec.Raw

    @property
    def reference(self) -> str:
        """`Type/id`, as `selections` names it."""
        return f"{self.resource_type}/{self.id}"


class OrderContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a hook is about: `considered` are the orders that advice is about, found at `place`.

    patient-view names none: its orders are looked up in the chart (cds_service/chart_orders.py). `instead_of`: so are
    those of an order hook whose drafts hold no operation, for this reason, where the tenant wants it.
    """

    user_id: str
    patient_id: str
    encounter_id: str | None
    considered: tuple[HookOrder, ...]
    drafts: tuple[HookOrder, ...]
    place: Place = "draftOrders"
    instead_of: InsteadOf | None = None


class _DraftEntry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _DraftBundle(msgspec.Struct):
    resourceType: Literal["Bundle"]
    entry: list[_DraftEntry] | None = None


class _OrderSelect(msgspec.Struct):
    userId: str
    patientId: str
    draftOrders: _DraftBundle
    selections: list[str]
    encounterId: str | None = None


class _OrderSign(msgspec.Struct):
    userId: str
    patientId: str
    draftOrders: _DraftBundle
    encounterId: str | None = None


class _AppointmentBook(msgspec.Struct):
    userId: str
    patientId: str
    appointments: _DraftBundle | list[msgspec.Raw]  # the definition says Bundle, its example shows an array
    encounterId: str | None = None


class _PatientView(msgspec.Struct):
    userId: str
    patientId: str
    encounterId: str | None = None


class _Head(msgspec.Struct):
    resourceType: str
    id: str | None = None


_Given = _OrderSelect | _OrderSign | _AppointmentBook | _PatientView
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "order-select": msgspec.json.Decoder(_OrderSelect),
    "order-sign": msgspec.json.Decoder(_OrderSign),
    "appointment-book": msgspec.json.Decoder(_AppointmentBook),
    "patient-view": msgspec.json.Decoder(_PatientView),
}
_heads = msgspec.json.Decoder(_Head)


def read_context(hook: str, raw: bytes) -> OrderContext:
    """The context of a hook that is offered; InvalidContext names the member that is wrong, never its value."""
    given: _Given = decode(_DECODERS[hook], raw, InvalidContext, f"The context is not one of {hook}")
    patient_id = given.patientId.removeprefix("Patient/")
    encounter_id = (given.encounterId or "").removeprefix("Encounter/") or None
    if not is_fhir_id(patient_id):
        raise InvalidContext("context.patientId is not the id of a patient.")
    if encounter_id is not None and not is_fhir_id(encounter_id):
        raise InvalidContext("context.encounterId is not the id of an encounter.")
    if len(given.userId) > _MOST_USER_CHARACTERS or not is_fhir_id(given.userId.rpartition("/")[2]):
        raise InvalidContext("context.userId is not the id of a user.")
    drafts, considered, place = _orders(given)
    return OrderContext(
        user_id=given.userId,
        patient_id=patient_id,
        encounter_id=encounter_id,
        considered=considered,
        drafts=drafts,
        place=place,
    )


def is_fhir_id(text: str) -> bool:
    """Whether it has the form of a resource's id."""
    return _ID.fullmatch(text) is not None


def decode(decoder: msgspec.json.Decoder[T], body: bytes, error: type[BadRequest | InvalidContext], what: str) -> T:
    """The JSON as the decoder's type; `error` names the member that does not fit, BadRequest is for what is no JSON."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as problem:
        raise error(f"{what}.", diagnostics=str(problem)) from problem
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadRequest("The body is not JSON.") from problem


def order(resource: msgspec.Raw) -> HookOrder | None:
    """The order that a resource is; None for an entry that holds no resource (HS-7)."""
    try:
        head = _heads.decode(resource)
    except msgspec.ValidationError:
        return None
    return HookOrder(resource_type=head.resourceType, id=head.id, resource=resource)


def _orders(given: _Given) -> tuple[tuple[HookOrder, ...], tuple[HookOrder, ...], Place]:
    """Every order of the session, those that advice is about, and where they stood."""
    match given:
        case _OrderSelect():
            drafts = _of_bundle(given.draftOrders)
            return drafts, _selected(given.selections, drafts), "draftOrders"
        case _OrderSign():
            drafts = _of_bundle(given.draftOrders)
            return drafts, drafts, "draftOrders"
        case _AppointmentBook():
            booked = given.appointments
            drafts = _of_bundle(booked) if isinstance(booked, _DraftBundle) else _read(booked)
            return drafts, drafts, "appointments"
        case _PatientView():
            return (), (), "prefetch"


def _of_bundle(bundle: _DraftBundle) -> tuple[HookOrder, ...]:
    return _read([entry.resource for entry in bundle.entry or ()])


def _read(resources: list[msgspec.Raw]) -> tuple[HookOrder, ...]:
    return tuple(found for resource in resources if (found := order(resource)) is not None)


def _selected(selections: list[str], drafts: tuple[HookOrder, ...]) -> tuple[HookOrder, ...]:
    """The drafts that `selections` names, by `Type/id`, or by a bare id where only one draft has it (DEC-25)."""
    names = {selection.rsplit("/_history/", 1)[0] for selection in selections}
    ids = [draft.id for draft in drafts]
    return tuple(
        draft
        for draft in drafts
        if draft.id is not None and (draft.reference in names or (draft.id in names and ids.count(draft.id) == 1))
    )
