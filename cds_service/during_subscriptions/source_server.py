"""What a source is asked: resources by id, events by number, searches; within deadlines, by the one door."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Literal

import msgspec

from cds_service.patient_data.fhir_client import MAX_ANSWER_BYTES, Access, FhirClient
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant_parts import DuringSource
from cds_service.trust.outbound import OutboundError
from cds_service.trust.secret import Secret
from cds_service.trust.secret_text import from_file
from fhir_mappings.during.notification import Notification, is_of_a_case, read_notification
from fhir_mappings.fhir.resources import UNREADABLE_JSON
from fhir_mappings.fhir.search_result import SearchResult

CALL_S = 10.0
_AT_ONCE = 50
# More are asked for by number, in the background.
MOST_NAMED = 200
_PAGE = 1000
_ID = re.compile(r"[A-Za-z0-9._-]{1,256}", re.ASCII)
_UNKNOWN_OPERATION = (400, 404, 405, 410, 422, 501)
NoEvents = Literal["failed", "not-offered"]


class _FoundHead(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    id: str = ""


_head = msgspec.json.Decoder(_FoundHead)


BEARER = "Bearer "


def secret(variable: str | None) -> Secret | None:
    """The secret in an environment variable, or in the file that it names with _FILE; None where there is none."""
    if variable is None:
        return None
    try:
        found = from_file(variable) or os.environ.get(variable, "")
    except ValueError:
        return None
    found = found.strip().removeprefix(BEARER.strip()).strip()
    return Secret(found) if found else None


def access(site: TenantRuntime, source: DuringSource) -> Access:
    """The way to the source with the tenant's own token for it."""
    return Access(source.base_url.rstrip("/"), secret(source.token_variable), site.fhir)


def named(client: FhirClient, by: Access, names: Sequence[str], *, deadline: float) -> dict[str, bytes]:
    """The resources that could be had of these (`Type/id`), as they stand now."""
    ids: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names[:MOST_NAMED]):
        kind, _, own = name.partition("/")
        if is_of_a_case(name) and _ID.fullmatch(own):
            ids[kind].append(own)
    queries = [
        f"{kind}?_id={','.join(own[start : start + _AT_ONCE])}&_count={_AT_ONCE}"
        for kind, own in ids.items()
        for start in range(0, len(own), _AT_ONCE)
    ]
    asked = [client.start(by, query, call_timeout_s=CALL_S, deadline=deadline) for query in queries]
    return {name: raw for one in asked for name, raw in _by_name(one.result().resources)}


def events(by: Access, subscription: str, first: int, last: int | None) -> Notification | NoEvents:
    """What `$events` says of these numbers, both included. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1

    One event more is asked for at the beginning: some servers read the first number as one that is known.
    """
    until = f"&eventsUntilNumber={last}" if last is not None else ""
    url = f"{by.base}/Subscription/{subscription}/$events?eventsSinceNumber={max(1, first - 1)}{until}"
    try:
        reply = by.door.get(
            f"{url}&content=full-resource",
            until=time.monotonic() + CALL_S,
            at_most_bytes=MAX_ANSWER_BYTES,
            headers=headers(by),
        )
    except OutboundError:
        return "failed"
    if reply.status in _UNKNOWN_OPERATION:
        return "not-offered"
    found = read_notification(reply.body) if reply.status == HTTPStatus.OK else None
    return found if found is not None and found.subscription == subscription else "failed"


def search(client: FhirClient, by: Access, query: str, since: str, *, deadline: float) -> SearchResult:
    """What changed since then (an instant as FHIR writes it)."""
    asked = f"{query}&_lastUpdated=ge{since}&_count={_PAGE}"
    return client.start(by, asked, call_timeout_s=CALL_S, deadline=deadline).result()


def headers(by: Access) -> dict[str, str]:
    """Of a call that is no search."""
    token = {"Authorization": f"Bearer {by.token.reveal()}"} if by.token is not None else {}
    return {"Accept": "application/fhir+json", **token}


def _by_name(resources: Iterable[msgspec.Raw]) -> Iterable[tuple[str, bytes]]:
    for raw in resources:
        try:
            head = _head.decode(raw)
        except UNREADABLE_JSON:
            continue
        yield f"{head.resource_type}/{head.id}", bytes(raw)
