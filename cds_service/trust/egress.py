"""Whom we may call: a tenant's FHIR base URLs and its clients' JWKS URLs; no other outbound call exists."""

from __future__ import annotations

import functools
import re
from urllib.parse import SplitResult, urljoin, urlsplit

import msgspec

from cds_service.tenants.tenant import Client, Tenant
from cds_service.trust import addresses
from cds_service.trust.outbound import Door, Purpose, UrlRule

# What servers take; and urllib remembers the last hundred that it took apart.
MAX_URL_CHARACTERS = 8 * 1024
_PORTS = {"http": 80, "https": 443}
# What two URL parsers may read differently is not a URL that we call: user, backslash, blanks, escapes in the host.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?", re.ASCII)
# Also `..;x`, which servers of the Tomcat family read as `..`.
_DOTS = re.compile(r"(^|/)\.{1,2}(;[^/]*)?(/|$)")


class FhirBase(msgspec.Struct, frozen=True):
    """A FHIR base URL that may be called for a tenant, without a slash at its end."""

    url: str


def allowed(url: str, tenant: Tenant) -> FhirBase | None:
    """The base URL a client named, if its tenant lists it or a base above it; None otherwise (R-06, R-G01, DEC-15).

    Scheme, host and port must be equal and the path equal or below on a segment boundary; https only in production.
    """
    named = _plain(url)
    if named is None or (tenant.is_production and named.scheme != "https"):
        return None
    if any(_covers(urlsplit(base), named) for base in tenant.fhir_base_urls):
        return FhirBase(url.rstrip("/"))
    return None


def within(url: str, base: str) -> bool:
    """Whether `url` (with any query) has the origin of `base` and lies at or below its path (R-G03, F-05)."""
    named = _plain(url.split("?", 1)[0])
    return named is not None and "#" not in url and _covers(urlsplit(base), named)


def joined(base: str, link: str) -> str | None:
    """The URL that a link in an answer of `base` means; None where it leaves that base, or is no URL."""
    if len(link) > MAX_URL_CHARACTERS:
        return None
    try:
        url = urljoin(f"{base.rstrip('/')}/", link)
    except ValueError:
        return None
    return url if within(url, base) else None


def fhir_door(tenant: Tenant, *, connections: int) -> Door:
    """A door to the tenant's FHIR base URLs and nothing else, whatever it is asked for."""
    return _door(tenant, "fhir", lambda url: any(within(url, base) for base in tenant.fhir_base_urls), connections)


def keys_door(client: Client, tenant: Tenant) -> Door:
    """A door to exactly the client's configured JWKS URL (R-G02, DEC-18)."""
    return _door(tenant, "keys", lambda url: url == client.jwks_url, 1)


def sign_in_door(tenant: Tenant, *, connections: int) -> Door:
    """A door to the tenant's FHIR base URLs and its authorization server, and nothing else."""
    own = (tenant.smart.authorization_url,) if tenant.smart.authorization_url else ()
    bases = (*tenant.fhir_base_urls, *own)
    return _door(tenant, "sign-in", lambda url: any(within(url, base) for base in bases), connections)


def terminology_door(tenant: Tenant, base_url: str) -> Door:
    """A door to the tenant's terminology server and nothing else, from addresses the tenant allows."""
    return _door(tenant, "terminology", lambda url: within(url, base_url), 4)


def export_door(base: str, *, connections: int) -> Door:
    """A door to one FHIR server that a person named on the command line, wherever it stands."""
    return Door(
        "",
        "export",
        url_rule=lambda url: within(url, base),
        address_rule=lambda _host, _address: True,
        connections=connections,
    )


def _door(tenant: Tenant, purpose: Purpose, rule: UrlRule, connections: int) -> Door:
    return Door(
        tenant.id,
        purpose,
        url_rule=rule,
        address_rule=functools.partial(addresses.may_connect, tenant=tenant),
        connections=connections,
        ca_bundle=tenant.ca_bundle,
    )


def _plain(url: str) -> SplitResult | None:
    """The parts of a URL without query that no two readers read differently; None for any other text."""
    if len(url) > MAX_URL_CHARACTERS or not _PLAIN_URL.fullmatch(url) or _DOTS.search(url.split("://", 1)[1]):
        return None
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return None


def _covers(base: SplitResult, named: SplitResult) -> bool:
    try:
        same_port = base.netloc.endswith(":*") or _port(base) == _port(named)
    except ValueError:
        return False
    path = base.path.rstrip("/")
    below = named.path.rstrip("/") == path or named.path.startswith(f"{path}/")
    return same_port and below and _host(base) == _host(named) and base.scheme == named.scheme


def _host(url: SplitResult) -> str:
    return (url.hostname or "").lower()


def _port(url: SplitResult) -> int | None:
    return url.port or _PORTS.get(url.scheme)
