"""FHIR search over resources in memory: the parameters that the prefetch templates and the tests use, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Resource = Mapping[str, Any]
_DATES = ("effectiveDateTime", "performedDateTime", "authoredOn", "recordedDate", "onsetDateTime")


class SearchError(Exception):
    """A parameter that this store does not know, or a value it cannot read; the message names the parameter."""


def search(resources: Iterable[Resource], parameters: Mapping[str, Sequence[str]]) -> list[Resource]:
    """The resources that match every parameter, in the order that `_sort` asks for."""
    found = list(resources)
    for name, values in parameters.items():
        if name in ("_count", "_offset", "_sort", "_format"):
            continue
        matches = _PARAMETERS.get(name)
        if matches is None:
            raise SearchError(f"Unknown search parameter '{name}'.")
        for value in values:
            found = [resource for resource in found if matches(resource, value.split(","))]
    for order in parameters.get("_sort", ()):
        if order.lstrip("-") != "date":
            raise SearchError("Only _sort=date and _sort=-date are known.")
        found.sort(key=_date, reverse=order.startswith("-"))
    return found


def _date(resource: Resource) -> str:
    return next((resource[name] for name in _DATES if name in resource), "")


def _of_patient(resource: Resource, values: Sequence[str]) -> bool:
    reference = resource.get("subject", resource.get("patient", {})).get("reference", "")
    return reference.rpartition("/")[2] in {value.rpartition("/")[2] for value in values}


def _id(resource: Resource, values: Sequence[str]) -> bool:
    return resource["id"] in values


def _status(resource: Resource, values: Sequence[str]) -> bool:
    return resource.get("status") in {value.rpartition("|")[2] for value in values}


def _code(resource: Resource, values: Sequence[str]) -> bool:
    return _token(resource.get("code", resource.get("medicationCodeableConcept", {})), values)


def _category(resource: Resource, values: Sequence[str]) -> bool:
    return any(_token(concept, values) for concept in resource.get("category", ()))


def _clinical_status(resource: Resource, values: Sequence[str]) -> bool:
    return _token(resource.get("clinicalStatus", {}), values)


def _token(concept: Resource, values: Sequence[str]) -> bool:
    """`system|code`, `|code` or `code`: without a system every system matches."""
    for coding in concept.get("coding", ()):
        for value in values:
            system, bar, code = value.rpartition("|")
            if coding.get("code") == code and (not bar or coding.get("system", "") == system):
                return True
    return False


_PARAMETERS: dict[str, Callable[[Resource, Sequence[str]], bool]] = {
    "patient": _of_patient,
    "subject": _of_patient,
    "_id": _id,
    "status": _status,
    "code": _code,
    "category": _category,
    "clinical-status": _clinical_status,
}
# What the store tells of itself: each parameter and its type. https://hl7.org/fhir/R4/valueset-search-param-type.html
OFFERED = {name: "reference" if name in ("patient", "subject") else "token" for name in _PARAMETERS}
