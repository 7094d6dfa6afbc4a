"""`cds-service check --walk`: every server that a tenant's file names is asked, as an answer would ask it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cds_service.commands.checks import Check
from cds_service.patient_data.gather import resolve
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Client
from cds_service.trust import egress
from cds_service.trust.outbound import Door, OutboundError

NOBODY = "surgical-risk-check"  # as whose id a search is asked for where no patient is named
_EACH_S = 5.0
_MOST_BYTES = 8 * 1024 * 1024
_UNREAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_ALL_EMPTY = (
    "every search of this patient is empty: ask for one who has results, and whether the server knows the parameters; "
    "one that does not may answer with nothing, which would be told as none found"
)
_NO_ANSWER = {
    "refused": "its address is none that this tenant may call (fhir_base_urls, private_networks)",
    "too-late": f"no answer within {_EACH_S:g} s",
    "too-large": "its answer is too long",
    "unreadable": "its answer is no HTTP that is read here",
    "open-circuit": "it failed again and again",
}


class Heard(msgspec.Struct, frozen=True):
    """What a server said: its status and JSON object; or in words why there is none."""

    status: int = 0
    content: Mapping[str, Any] | None = None
    why_not: str = ""


def of_tenant(site: TenantRuntime, *, patient: str = NOBODY) -> Iterator[Check]:
    """A line for each server and step, of the tenant's FHIR servers and of its clients' keys; no patient's data."""
    for base in site.tenant.fhir_base_urls:
        if "*" in base:
            yield _check(site, base, "a pattern, which cannot be walked: name a server")
            continue
        yield _capabilities(site, base)
        yield _smart(site, base)
        yield _searches(site, base, patient)
    yield from (_keys(site, client) for client in site.tenant.clients if client.jwks_url)


def _check(site: TenantRuntime, where: str, told: str, *warnings: str, ok: bool = True) -> Check:
    place = f"{where} ({site.tenant.id})"
    return Check("walk", ok, f"{place}: {told}", tuple(f"{place}: {one}" for one in warnings))


def _ask(door: Door, url: str, token: str | None = None) -> Heard:
    headers = {"Accept": "application/fhir+json, application/json"} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    try:
        reply = door.get(url, until=time.monotonic() + _EACH_S, at_most_bytes=_MOST_BYTES, headers=headers)
    except OutboundError as error:
        return Heard(why_not=_NO_ANSWER.get(error.why, "nothing listens there, or it hung up"))
    try:
        content = msgspec.json.decode(reply.body)
    except _UNREAD:
        return Heard(reply.status, None, f"answered {reply.status} and no JSON")
    return Heard(reply.status, content if isinstance(content, dict) else None, f"answered {reply.status}")


def _capabilities(site: TenantRuntime, base: str) -> Check:
    """Which FHIR version it speaks, and what of our searches it does not offer."""
    heard = _ask(site.fhir, f"{base.rstrip('/')}/metadata")
    said = heard.content if heard.status == 200 else None
    if said is None or said.get("resourceType") != "CapabilityStatement":
        return _check(site, base, f"no CapabilityStatement: {heard.why_not}", ok=False)
    version = str(said.get("fhirVersion", "not told"))[:20]
    if not version.startswith("4.0"):
        return _check(site, base, f"FHIR {version}: R4 (4.0.1) is read here", ok=False)
    lacks = [f"{key}: {lack}" for key, query in site.templates.items() if (lack := _lack(query, _offered(said)))]
    return _check(site, base, f"FHIR {version}", *lacks)


def _offered(said: Mapping[str, Any]) -> dict[str, set[str]]:
    """By resource type the search parameters that a CapabilityStatement names; nothing of a part that is not FHIR."""
    found: dict[str, set[str]] = {}
    for rest in _objects(said.get("rest")):
        for resource in _objects(rest.get("resource")):
            names = {str(one.get("name")) for one in _objects(resource.get("searchParam"))}
            found.setdefault(str(resource.get("type")), set()).update(names)
    return found


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _lack(query: str, offered: Mapping[str, set[str]]) -> str:
    kind, _, parameters = query.partition("?")
    kind = kind.partition("/")[0]
    if kind not in offered:
        return f"it does not offer {kind}"
    asked = {one.partition("=")[0] for one in parameters.split("&") if one}
    lacking = sorted(name for name in asked - offered[kind] if not name.startswith("_"))
    return f"it does not name the search parameter {', '.join(lacking)} of {kind}" if lacking else ""


def _smart(site: TenantRuntime, base: str) -> Check:
    """Whether the risk profile could be opened there, and what the tenant's file does not cover of its sign-in."""
    heard = _ask(site.sign_in, f"{base.rstrip('/')}/.well-known/smart-configuration")
    said = heard.content if heard.status == 200 else None
    if said is None:
        return _check(site, base, "no SMART discovery", f"the risk profile cannot be opened there: {heard.why_not}")
    lacks = []
    own = site.tenant.smart.authorization_url
    bases = (*site.tenant.fhir_base_urls, *((own,) if own else ()))
    for name in ("authorization_endpoint", "token_endpoint"):
        url = said.get(name)
        if not isinstance(url, str):
            lacks.append(f"it names no {name}")
        elif not any(egress.within(url, one) for one in bases):
            lacks.append(f"its {name} is at {_origin(url)}: name the URL above it as smart.authorization_url")
    if "S256" not in (said.get("code_challenge_methods_supported") or ()):
        lacks.append("it does not name S256, without which no code is exchanged here (PKCE)")
    return _check(site, base, "SMART discovery", *lacks)


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "what is no URL"
    return f"{parts.scheme}://{parts.netloc}"[:200] if parts.username is None else "a URL with a user in it"


def _searches(site: TenantRuntime, base: str, patient: str) -> Check:
    """One search per prefetch key, with the token in FHIR_TOKEN; a warning where all of a person's are empty."""
    token = os.environ.get("FHIR_TOKEN")
    wrong: list[str] = []
    done: list[str] = []
    found = patient == NOBODY
    for key, template in site.templates.items():
        query = resolve(template, {"context.patientId": patient, "context.userId": "Practitioner/none"})
        if query is None:
            continue
        heard = _ask(site.fhir, f"{base.rstrip('/')}/{query}", token)
        (wrong if (why := _unlike(heard, key, patient)) else done).append(f"{key} {why}".strip())
        found = found or bool(key != "patient" and _objects((heard.content or {}).get("entry")))
    lacks = () if wrong or found else (_ALL_EMPTY,)
    told = f"searches answered: {', '.join(done) or 'none'}"
    return _check(site, base, f"{told}; not: {'; '.join(wrong)}" if wrong else told, *lacks, ok=not wrong)


def _unlike(heard: Heard, key: str, patient: str) -> str:
    """Why an answer is not what a search gives; "" where it is."""
    if heard.status in (401, 403):
        return f"answered {heard.status}: it wants a token in FHIR_TOKEN whose scopes hold this"
    if key == "patient" and patient == NOBODY and heard.status in (404, 410):
        return ""
    expected = "Patient" if key == "patient" else "Bundle"
    if heard.status != 200 or heard.content is None:
        return heard.why_not
    return "" if heard.content.get("resourceType") == expected else f"answered 200 and no {expected}"


def _keys(site: TenantRuntime, client: Client) -> Check:
    """Whether a client's public keys can be had, and are of an algorithm that it may use."""
    url = client.jwks_url or ""
    door = egress.keys_door(client, site.tenant)
    try:
        heard = _ask(door, url)
    finally:
        door.close()
    keys = _objects((heard.content or {}).get("keys"))
    if heard.status != 200 or not keys:
        return _check(site, url, f"no keys: {heard.why_not}", ok=False)
    usable = [one for one in keys if one.get("kid") and one.get("alg", client.algorithms[0]) in client.algorithms]
    told = f"{len(keys)} keys, {len(usable)} of them with an id and for {', '.join(client.algorithms)}"
    return _check(site, url, told, ok=bool(usable))
