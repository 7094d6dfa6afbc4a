"""What can still be told of an Observation that is not used: of which code it is, when it was, and why it is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from fhir_mappings.fhir.elements import CodeableConcept, Coding, Period, Timing
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Observation

T = TypeVar("T")

# https://hl7.org/fhir/R4/valueset-observation-status.html: these say that there is no result.
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
_READ = frozenset({"preliminary", "final", "amended", "corrected"})
AWAITED, UNREADABLE, STATUS_UNKNOWN = "awaited", "unreadable", "result-status-unknown"
OTHER_CODE = "other-code"  # of the same quantity, by a code that the input does not take
# Dropped by their status (inputs 1.3 step 1): told only where nothing else is recorded.
DROPPED = frozenset({AWAITED, STATUS_UNKNOWN})


def why_not_used(status: str | None) -> str:
    """Why a result that is not used is not, by its status; "" for one that was withdrawn."""
    if status == "registered":
        return AWAITED
    if status in WITHDRAWN:
        return ""
    return UNREADABLE if status in _READ else STATUS_UNKNOWN


def sketch(raw: bytes, *types: str) -> tuple[Observation, tuple[CodeableConcept, ...]] | None:
    """Id, status and time of an Observation that no reader takes, as far as they are text, and what it is of.

    None for any other resource than an Observation, or than one of these types.
    """
    content = _json(raw)
    if not isinstance(content, dict) or content.get("resourceType") not in (types or ("Observation",)):
        return None
    parts = (one.get("code") for one in _list(content.get("component")) if isinstance(one, dict))
    status = content["status"] if isinstance(content.get("status"), str) else "final"
    timed = Observation(
        id=_text(content.get("id")),
        status=status,
        effective_date_time=_text(content.get("effectiveDateTime")),
        effective_instant=_text(content.get("effectiveInstant")),
        effective_period=_readable(content.get("effectivePeriod"), Period),
        effective_timing=_readable(content.get("effectiveTiming"), Timing),
        issued=_text(content.get("issued")),
    )
    return timed, tuple(map(_concept, (content.get("code"), *parts)))


def _readable(value: object, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def concepts(observation: Observation) -> Iterable[CodeableConcept]:
    """What an Observation and its components say they are, as far as that can be read."""
    yield _concept(_json(observation.written_code))
    yield from (component.code for component in observation.component)


def sketch_of(part: msgspec.Raw | object) -> tuple[Observation, tuple[CodeableConcept, ...]] | None:
    """Of an Observation that was set aside what it is of, as `sketch`; None for any other resource."""
    if isinstance(part, Observation):
        return part, tuple(concepts(part))
    return sketch(part) if isinstance(part, msgspec.Raw) else None


def _concept(value: object) -> CodeableConcept:
    """The readable codings of what should be a CodeableConcept, or its words where it has no codings at all."""
    if not isinstance(value, dict):
        return CodeableConcept()
    codings = [one for one in _list(value.get("coding")) if isinstance(one, dict)]
    pairs = ((_text(one.get("system")), _text(one.get("code"))) for one in codings)
    return CodeableConcept(tuple(Coding(*pair) for pair in pairs if all(pair)), _text(value.get("text")))


def _json(written: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(written)
    except UNREADABLE_JSON:
        return None


def _list(value: object) -> list[Any]:
    """The list, or what stands alone where a list should."""
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
