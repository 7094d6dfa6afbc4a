"""What a tenant's environment allows it: each rule yields the member that breaks it and what to change."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cds_service.tenants import during_rules, during_source_rules, speaking
from cds_service.tenants.tenant import EVERY_MODEL, Client, Tenant, ValidationGates
from fhir_mappings.results import unit_aliases
from fhir_mappings.terminology import concept_maps

# The private key of the public sandbox is public: whoever wants to can sign as this issuer (R-G06).
SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"
Complaint = tuple[str, str]
_DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Tenant)}
_APPROVALS = 2
_MOST_HELD_OUT = 0.5
_MOST_MODELS = 3
_WHO_APPROVED = "differs from the default: name who approved it as thresholds_approved: approved_by, date"


def complaints(tenant: Tenant) -> Iterator[Complaint]:
    """Every broken rule as (member, what is wrong); nothing if the tenant may be started with."""
    yield from _names(tenant)
    yield from _urls(tenant)
    yield from _terminology(tenant)
    yield from _numbers(tenant)
    yield from _gates(tenant)
    yield from _units(tenant)
    if wrong := during_rules.complaint(tenant.during, tenant.environment):
        yield "during", wrong
    for broken in during_source_rules.complaints(tenant):
        yield "during", broken
    for client in tenant.clients:
        yield from _client(client, tenant)
    if tenant.is_production:
        yield from _production(tenant)


def _units(tenant: Tenant) -> Iterator[Complaint]:
    for text, unit in tenant.data.units.items():
        if wrong := unit_aliases.complaint(text, unit):
            yield "data", f"units: {wrong}"


def _names(tenant: Tenant) -> Iterator[Complaint]:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", tenant.id):
        yield "id", "lower-case letters, digits and hyphens, at most 64"
    try:
        ZoneInfo(tenant.zone)
    except (ZoneInfoNotFoundError, ValueError):
        yield "zone", f"no time zone is called {tenant.zone!r}"
    for network in tenant.private_networks:
        yield from _network(network)
    if not tenant.hooks:
        yield "hooks", "name at least one hook"
    if tenant.local_pages and not re.fullmatch(r"[A-Za-z0-9_-]{16,64}", tenant.local_pages):
        yield "local_pages", "16 to 64 letters, digits, hyphens or underscores that nobody can guess (DEC-26)"
    try:
        concept_maps.aliases(tenant.code_systems)
    except concept_maps.ConceptMapError as error:
        yield "code_systems", str(error)
    if len(tenant.added_models) > _MOST_MODELS:
        yield "added_models", f"at most {_MOST_MODELS}: they share half a second of an answer"
    yield from _files(tenant)
    yield from _site_folder(tenant)
    yield from _unread(tenant)
    yield from _learning(tenant)


def _learning(tenant: Tenant) -> Iterator[Complaint]:
    asked = tenant.learning
    if asked.permitted and not asked.agreement.strip():
        yield "learning", "permitted: name the agreement or consent as agreement"
    if not 0 <= asked.silent_share <= _MOST_HELD_OUT:
        yield "learning", f"silent_share: 0 to {_MOST_HELD_OUT:g}, a share of the patients"
    people = {name.strip().casefold() for name in asked.approved_by if name.strip()}
    if asked.silent_share and tenant.is_production and (len(people) < _APPROVALS or not asked.protocol.strip()):
        yield "learning", "silent_share: patients of whom nothing is shown need a protocol and approved_by, two people"


def _files(tenant: Tenant) -> Iterator[Complaint]:
    named = {
        "concept_maps": tenant.concept_maps,
        "order_maps": tenant.order_maps,
        "ca_bundle": (tenant.ca_bundle,) if tenant.ca_bundle else (),
    }
    for member, paths in named.items():
        for path in paths:
            if not path.is_file():
                yield member, f"there is no file {path}"


def _site_folder(tenant: Tenant) -> Iterator[Complaint]:
    if tenant.site_folder is not None and not tenant.site_folder.is_dir():
        yield "site_folder", f"there is no folder {tenant.site_folder}"


def _network(text: str) -> Iterator[Complaint]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        yield "private_networks", f"{text!r} is not a network such as 10.20.0.0/16"
        return
    if not network.is_private or network.is_loopback or network.is_link_local or network.prefixlen == 0:
        yield "private_networks", f"{text} is not a private network"


def _urls(tenant: Tenant) -> Iterator[Complaint]:
    for member, urls in (("public_url", (tenant.public_url,)), ("fhir_base_urls", tenant.fhir_base_urls)):
        for url in urls:
            yield from _url(member, url, tenant)
    for origin in tenant.cors_origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query or "*" in origin:
            yield "cors_origins", f"{origin!r} is not an origin such as https://ehr.example.org (O-02)"


def _terminology(tenant: Tenant) -> Iterator[Complaint]:
    asked = tenant.terminology
    if asked is None:
        return
    yield from _url("terminology", asked.base_url, tenant)
    if not asked.value_sets:
        yield "terminology", "value_sets names no value set"
    if not 0 < asked.deadline_s <= 20:
        yield "terminology", "deadline_s: seconds, above 0 and at most 20 (a worker has 30 to start)"


def _url(member: str, url: str, tenant: Tenant) -> Iterator[Complaint]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        yield member, f"{url!r} is not a URL"
        return
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username is not None:
        yield member, f"{url!r} is not an absolute URL without query, fragment and user"
    elif tenant.is_production and parts.scheme != "https":
        yield member, f"{url!r}: a production tenant speaks https only (T-01, R-05)"


def _unread(tenant: Tenant) -> Iterator[Complaint]:
    """What is not understood counts as absent only where two people have seen what that is (DEC-37)."""
    habits = tenant.data
    if habits.unread_entries == "unknown" or not tenant.is_production:
        return
    names = habits.unread_approved.approved_by if habits.unread_approved else ()
    if len({name.strip().casefold() for name in names if name.strip()}) < _APPROVALS:
        yield "data", "unread_entries: absent needs unread_approved: {mapping_report, approved_by: [two people], date}"


def _numbers(tenant: Tenant) -> Iterator[Complaint]:
    if not 0 < tenant.bands[0] < tenant.bands[1] < tenant.bands[2] < math.inf:
        yield "bands", "three ratios to the peers, rising"
    if not 0 < tenant.warning.rare <= 1 or not 0 < tenant.warning.common <= 1:
        yield "warning", "probabilities between 0 and 1"
    yield from _floors(tenant)
    if not 0 <= tenant.canary.percent <= 100:
        yield "canary", "percent lies between 0 and 100"
    for member in ("deadline_s", "fetch_timeout_s", "fetch_budget_s"):
        if not 0 < getattr(tenant, member) <= 10:
            yield member, "seconds, above 0 and at most 10 (N-02)"
    if not 0 <= tenant.dedupe_window_s <= 30 * 86_400:
        yield "dedupe_window_s", "seconds, at most 30 days"
    yield from _limits(tenant)


def _floors(tenant: Tenant) -> Iterator[Complaint]:
    if tenant.card_floor is not None and not 0 <= tenant.card_floor <= 1:
        yield "card_floor", "a probability between 0 and 1"
    if tenant.card_floor is not None and tenant.card_floors:
        yield "card_floor", "card_floors says it by outcome; give one of the two"
    for outcome, floor in tenant.card_floors.items():
        if outcome not in speaking.CARD_FLOORS:
            yield "card_floors", f"{outcome} is none of {', '.join(speaking.CARD_FLOORS)}"
        if not 0 < floor <= 1:
            yield "card_floors", f"{outcome}: a probability above 0 and at most 1"
    if tenant.card_budget is not None and not 0 < tenant.card_budget <= 1:
        yield "card_budget", "a share of operations, above 0 and at most 1"


def _limits(tenant: Tenant) -> Iterator[Complaint]:
    limits = tenant.limits
    members = (limits.body_bytes, limits.inflated_bytes, limits.inflation_ratio or 1, limits.depth, limits.entries)
    more = (limits.string_characters, limits.number_characters, limits.requests_per_s, limits.burst, limits.concurrent)
    if min(*members, *more) <= 0:
        yield "limits", "every limit is above 0"
    if min(tenant.retention.evaluation_days, tenant.retention.comment_days) < 1:
        yield "retention", "at least one day"


def _client(client: Client, tenant: Tenant) -> Iterator[Complaint]:
    if (client.jwks_url is None) == (client.jwks is None):
        yield "clients", f"{client.issuer}: give jwks_url or jwks, one of the two"
    if client.jwks_url is not None:
        yield from _jwks_url(client.jwks_url, tenant)
    if client.jwks is not None and any("d" in key or key.get("kty") == "oct" for key in client.jwks.keys):
        yield "clients", f"{client.issuer}: jwks holds a private or symmetric key; only public keys belong here"
    if not client.issuer or not client.algorithms:
        yield "clients", f"{client.issuer or 'a client'}: issuer and algorithms must not be empty"
    if not 0 < client.max_lifetime_s <= 86_400:
        yield "clients", f"{client.issuer}: max_lifetime_s lies between 1 and 86400 (J-12)"
    if tenant.environment == "production":
        if client.issuer.rstrip("/") == SANDBOX_ISSUER:
            yield "clients", f"{SANDBOX_ISSUER}: its private key is public; only a dev tenant may trust it (R-G06)"
        for audience in client.audiences:
            if urlsplit(audience).scheme != "https":
                yield "clients", f"{client.issuer}: audience {audience!r} is not an https URL (DEC-18)"


def _jwks_url(url: str, tenant: Tenant) -> Iterator[Complaint]:
    for _, complaint in _url("clients", url.split("?", 1)[0], tenant):
        yield "clients", f"jwks_url {complaint}"


def _production(tenant: Tenant) -> Iterator[Complaint]:
    if not tenant.clients:
        yield "clients", "a production tenant names who may call (DEC-05)"
    if tenant.client_jwt != "required":
        yield "client_jwt", "a production tenant requires the client's JWT (DEC-05)"
    if tenant.vendor_profile in ("sandbox", "inferno"):
        yield "vendor_profile", f"{tenant.vendor_profile} is for dev tenants (DEC-09)"
    if tenant.chart_at_order_hooks:
        yield "chart_at_order_hooks", "a card at every medicine is for testers: demo and dev tenants only (DEC-47)"
    if EVERY_MODEL in tenant.added_models:
        yield "added_models", "a production tenant names each model"
    if tenant.local_validation is None:
        yield from _unvalidated(tenant)
    if tenant.thresholds_approved is None:
        yield from _unapproved(tenant)
    if gate := _loosened(tenant.validation):
        yield "validation", f"{gate} lets more pass than the default: name who answers for it: approved_by, date"


def _gates(tenant: Tenant) -> Iterator[Complaint]:
    asked = tenant.validation
    for name in ("o_e", "slope", "group_o_e"):
        low, high = getattr(asked, name)
        if not 0 < low < high < math.inf:
            yield "validation", f"{name}: two numbers above 0, rising"
    if not all(0 <= share <= 1 for share in (asked.auroc, asked.mapped, asked.lost)):
        yield "validation", "auroc, mapped and lost lie between 0 and 1"
    if min(asked.weeks, asked.operations, asked.days, asked.lag_days, *asked.events.values()) < 0:
        yield "validation", "weeks, operations, events, days and lag_days are not negative"
    for outcome in asked.events:
        if outcome not in speaking.CARD_FLOORS:
            yield "validation", f"events: {outcome} is none of {', '.join(speaking.CARD_FLOORS)}"


def _loosened(asked: ValidationGates) -> str | None:
    """A gate that is wider than the shipped one, and that nobody answers for."""
    shipped = ValidationGates()
    if asked.approved_by.strip() and asked.date is not None:
        return None
    least = ("weeks", "operations", "auroc", "mapped", "lag_days")
    wider = [name for name in least if getattr(asked, name) < getattr(shipped, name)]
    for name in ("o_e", "slope", "group_o_e"):
        own, ours = getattr(asked, name), getattr(shipped, name)
        wider += [name] if own[0] < ours[0] or own[1] > ours[1] else []
    wider += [name for name in ("days", "lost") if getattr(asked, name) > getattr(shipped, name)]
    wider += [f"events: {name}" for name, count in shipped.events.items() if asked.events.get(name, -1) < count]
    return wider[0] if wider else None


def _unapproved(tenant: Tenant) -> Iterator[Complaint]:
    """Whoever moves a threshold answers for it by name (R-B08, R-E06)."""
    for member in ("bands", "warning", "card_floor"):
        if getattr(tenant, member) != _DEFAULTS[member]:
            yield member, _WHO_APPROVED
    if tenant.card_floors:
        yield "card_floors", _WHO_APPROVED


def _unvalidated(tenant: Tenant) -> Iterator[Complaint]:
    if tenant.mode in ("canary", "on"):
        yield "mode", f"{tenant.mode} needs local_validation: report, approved_by, date (DEC-30)"
    if any(rule.mode in ("canary", "on") for rule in tenant.modes):
        yield "modes", "canary and on need local_validation: report, approved_by, date (DEC-30)"
