"""What the clinician did with a card: the feedback body, in the standard's form and in Epic's (K-01..K-13, DEC-22)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cds_service.records.rows import FeedbackItem
from cds_service.tenants.tenant import Limits
from cds_service.trust import json_limits, json_names
from cds_service.trust.errors import BadRequest

MAX_ITEMS = 1_000
MAX_ID_CHARACTERS = 128
# https://fhir.epic.com/Documentation?docId=cds-hooks, "Feedback".
_EPIC = "com.epic.cdshooks.feedback.overrideReason."
_EPIC_SYSTEM = "urn:epic:cdshooks:overrideReason"


class Rejected(msgspec.Struct, frozen=True):
    """An item that was not kept: its place in the batch (from 0) and why."""

    index: int
    reason: str


class Feedback(msgspec.Struct, frozen=True):
    """A batch, item by item."""

    items: tuple[FeedbackItem, ...]
    rejected: tuple[Rejected, ...]


class _ItemError(Exception):
    """Why an item is not kept, naming the member and never its value."""


def read_feedback(body: bytes, limits: Limits) -> Feedback:
    """The items of a feedback body, good and bad apart. BadRequest if it is malformed or holds no good item."""
    json_limits.check(body, limits)
    json_names.refuse_repeated_anywhere(body)
    try:
        root = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    given = root.get("feedback") if isinstance(root, dict) else None
    if not isinstance(given, list) or not 0 < len(given) <= MAX_ITEMS:
        raise BadRequest("The body is not CDS Hooks feedback.", diagnostics=f"feedback: 1 to {MAX_ITEMS} items")
    items: list[FeedbackItem] = []
    rejected: list[Rejected] = []
    for index, item in enumerate(given):
        try:
            items.append(_item(item))
        except _ItemError as error:
            rejected.append(Rejected(index, str(error)))
    if not items:
        told = "; ".join(f"{item.index}: {item.reason}" for item in rejected[:5])
        raise BadRequest("No item of the feedback could be read.", diagnostics=told)
    return Feedback(tuple(items), tuple(rejected))


def acknowledgement(feedback: Feedback) -> bytes:
    """The body of the 200: how many were received, and which were not (DEC-22)."""
    told: dict[str, Any] = {"received": len(feedback.items)}
    if feedback.rejected:
        told["rejected"] = feedback.rejected
    return msgspec.json.encode(told)


def _item(given: object) -> FeedbackItem:
    if not isinstance(given, dict):
        raise _ItemError("not an object")
    outcome = given.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise _ItemError("outcome: accepted or overridden")
    reason = _reason(given.get("overrideReason") or given.get("overrideReasons"))
    return FeedbackItem(
        card=_id(given, "card"),
        outcome=outcome,
        outcome_at=_instant(given.get("outcomeTimestamp")),
        accepted_suggestions=_suggestions(given.get("acceptedSuggestions")) if outcome == "accepted" else (),
        **reason,
    )


def _id(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_CHARACTERS:
        raise _ItemError(f"{name}: a string of 1 to {MAX_ID_CHARACTERS} characters")
    return value


def _instant(value: object) -> datetime:
    try:
        instant = msgspec.convert(value, datetime, strict=True)
        if instant.tzinfo is None:
            raise ValueError("no time zone")
        return instant.astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise _ItemError("outcomeTimestamp: a date and time with time zone (RFC 3339)") from error


def _suggestions(given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise _ItemError("acceptedSuggestions: a list of objects")
    return tuple(_id(each, "id") for each in given)


def _reason(given: object) -> dict[str, str | None]:
    """Code, system, display and comment, of the standard's object or of Epic's, which may be a list of them."""
    if isinstance(given, list):
        given = given[0] if given else None
    if not isinstance(given, dict):
        return {}
    nested = given.get("reason")
    coding = nested if isinstance(nested, dict) else given
    found = {f"reason_{name}": _text(coding.get(name)) for name in ("code", "system", "display")}
    extension = given.get("extension")
    if found["reason_code"] is None and isinstance(extension, dict):
        found = {
            "reason_code": _text(extension.get(f"{_EPIC}reasonCategory")),
            "reason_system": _EPIC_SYSTEM,
            "reason_display": _text(extension.get(f"{_EPIC}reasonDisplay") or extension.get(f"{_EPIC}reasonTitle")),
        }
    return {**found, "comment": _text(given.get("userComment"))}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
