"""A FHIR R4 store of invented people: read, search with paging, metadata; for the demo and for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from cds_service.demo.search import OFFERED, Resource, SearchError, search
from fhir_mappings.writing import draft_resources

DEFAULT_COUNT = 20
MAX_COUNT = 200
TYPES = (
    "Patient", "Condition", "Observation", "MedicationRequest", "Procedure", "Encounter", "DiagnosticReport",
    "ServiceRequest",
)  # fmt: skip
FHIR_JSON = "application/fhir+json"


def blueprint(resources: Callable[[datetime], Iterable[Resource]]) -> Blueprint:
    """The store under one path; `resources` gives everything that it holds as of an instant."""
    store = Blueprint("demo-fhir-store", __name__)

    def of_type(kind: str) -> list[Resource]:
        return [resource for resource in resources(datetime.now(UTC)) if resource["resourceType"] == kind]

    @store.get("/metadata")
    def metadata() -> Response:
        return _json(_capabilities())

    @store.get("/<kind>/<resource_id>")
    def read(kind: str, resource_id: str) -> Response:
        for resource in of_type(kind):
            if resource["id"] == resource_id:
                return _json(resource)
        return _outcome(404, "not-found", "No such resource.")

    @store.get("/<kind>")
    def search_type(kind: str) -> Response:
        return _searched(kind, of_type(kind), request.args)

    @store.post("/<kind>/_search")
    def search_by_form(kind: str) -> Response:
        return _searched(kind, of_type(kind), request.form)

    return store


def _searched(kind: str, resources: Sequence[Resource], parameters: MultiDict[str, str]) -> Response:
    if kind not in TYPES:
        return _outcome(404, "not-supported", "The store holds no resources of this type.")
    asked = {name: parameters.getlist(name) for name in parameters}
    try:
        found = search(resources, asked)
        count = min(_whole(asked, "_count", DEFAULT_COUNT), MAX_COUNT)
        offset = _whole(asked, "_offset", 0)
    except SearchError as error:
        return _outcome(400, "invalid", str(error))
    return _json(_bundle(kind, found, asked, (offset, count)))


def _whole(asked: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    value = asked.get(name, [str(default)])[-1]
    if not value.isdecimal():
        raise SearchError(f"'{name}' is not a whole number.")
    return int(value)


def _bundle(
    kind: str, found: Sequence[Resource], asked: Mapping[str, Sequence[str]], page: tuple[int, int]
) -> dict[str, Any]:
    offset, count = page
    base = request.url_root.rstrip("/") + request.path.removesuffix("/_search").rpartition("/")[0]
    links = [{"relation": "self", "url": f"{base}/{kind}?{urlencode(asked, doseq=True)}"}]
    if offset + count < len(found) and count:
        following = urlencode({**asked, "_offset": [str(offset + count)], "_count": [str(count)]}, doseq=True)
        links.append({"relation": "next", "url": f"{base}/{kind}?{following}"})
    entries = [
        {"fullUrl": f"{base}/{kind}/{resource['id']}", "resource": resource, "search": {"mode": "match"}}
        for resource in found[offset : offset + count]
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _capabilities() -> dict[str, Any]:
    parameters = [{"name": name, "type": kind} for name, kind in OFFERED.items()]
    searchable = [
        {"type": kind, "interaction": [{"code": "read"}, {"code": "search-type"}], "searchParam": parameters}
        for kind in TYPES
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": "2026-11-23",
        "kind": "instance",
        "implementation": {"description": "Invented people for the demonstration of surgical-risk"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": searchable}],
    }


def _json(resource: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(resource), mimetype=FHIR_JSON)


def _outcome(status: int, code: str, text: str) -> Response:
    outcome = draft_resources.operation_outcome(severity="error", code=code, text=text)
    return Response(outcome, status=status, mimetype=FHIR_JSON)
