"""What a tenant's file may say of the server that tells of its operations, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_parts import During, DuringSource

_MOST_SUBSCRIPTIONS, _MOST_SEARCHES = 20, 10
# https://hl7.org/fhir/R4/datatypes.html#id
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_SEARCH = re.compile(r"(?:Observation|Procedure|Encounter)\?[!-~]{1,2000}", re.ASCII)
_PLACES = ("{patient}", "{encounter}")
# What is searched, among Subscriptions; no id of FHIR has a colon.
SEARCHED = "search:"
# A rest-hook that is not delivered is told by nobody: what its criteria find is looked at so often.
_HOOKED_S = 60.0


def every_s(during: During) -> float | None:
    """How often the source is searched; None where it is not."""
    if during.source is None:
        return None
    if during.poll is not None:
        return during.poll.every_s
    return _HOOKED_S if during.source.rest_hook else None


def told_by(during: During) -> tuple[str, ...]:
    """By what the source tells: its Subscriptions, and what is searched."""
    if during.source is None:
        return ()
    return (*during.source.subscriptions, *((SEARCHED,) if every_s(during) is not None else ()))


def complaints(tenant: Tenant) -> Iterator[str]:
    """Every broken rule in words."""
    source = tenant.during.source
    if source is None:
        if tenant.during.poll is not None:
            yield "poll: name the server to ask as `source: {base_url: …}`"
        return
    base = f"{source.base_url.rstrip('/')}/"
    if not any(base.startswith(f"{listed.rstrip('/')}/") for listed in tenant.fhir_base_urls):
        yield "source: base_url: list it, or a URL above it, in fhir_base_urls"
    if not _HEADER.fullmatch(source.header):
        yield "source: header: letters, digits and hyphens"
    if source.header_variable is None and not tenant.clients:
        yield "source: header_variable: name the variable that holds the secret of the server, or a client that signs"
    yield from _subscriptions(source)
    yield from _searches(source)


def _subscriptions(source: DuringSource) -> Iterator[str]:
    if len(source.subscriptions) > _MOST_SUBSCRIPTIONS:
        yield f"source: subscriptions: at most {_MOST_SUBSCRIPTIONS}"
    for one in source.subscriptions:
        if not _ID.fullmatch(one):
            yield f"source: subscriptions: {one!r} is no id of FHIR (letters, digits, hyphens, points; at most 64)"
    if source.rest_hook and not source.searches:
        yield "source: rest_hook: name as `searches` what its criteria find, for what was not delivered"


def _searches(source: DuringSource) -> Iterator[str]:
    if len(source.searches) > _MOST_SEARCHES:
        yield f"source: searches: at most {_MOST_SEARCHES}"
    for one in source.searches:
        bare = one
        for place in _PLACES:
            bare = bare.replace(place, "x")
        if not _SEARCH.fullmatch(bare) or "{" in bare or "}" in bare or "_lastUpdated" in bare:
            yield (
                f"source: searches: {one!r}: Observation?…, Procedure?… or Encounter?…, without _lastUpdated, and in"
                " braces patient and encounter alone"
            )
