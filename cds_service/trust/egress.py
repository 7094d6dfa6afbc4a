"""Whom we may call: a tenant's FHIR base URLs and its clients' JWKS URLs; no other outbound call exists."""

from __future__ import annotations

import functools
import re
from urllib.parse import SplitResult, urlsplit

import msgspec
import requests

from cds_service.tenant import Client, Tenant
from cds_service.trust import addresses, doors

Session = requests.Session
_PORTS = {"http": 80, "https": 443}
# What two URL parsers may read differently is not a URL that we call: user, backslash, blanks, escapes in the host.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?", re.ASCII)
_DOTS = re.compile(r"(^|/)\.{1,2}(/|$)")


class FhirBase(msgspec.Struct, frozen=True):
    """A FHIR base URL that may be called for a tenant, without a slash at its end."""

    url: str


def allowed(url: str, tenant: Tenant) -> FhirBase | None:
    """The base URL a client named, if its tenant lists it or a base above it; None otherwise (R-06, R-G01, DEC-15).

    Scheme, host and port must be equal and the path equal or below on a segment boundary; https only in production.
    """
    if not _PLAIN_URL.fullmatch(url) or _DOTS.search(url.split("://", 1)[1]):
        return None
    named = urlsplit(url)
    if tenant.is_production and named.scheme != "https":
        return None
    if any(_covers(urlsplit(base), named) for base in tenant.fhir_base_urls):
        return FhirBase(url.rstrip("/"))
    return None


def within(url: str, base: str) -> bool:
    """Whether `url` (with any query) has the origin of `base` and lies at or below its path (R-G03, F-05)."""
    path = url.split("?", 1)[0]
    if not _PLAIN_URL.fullmatch(path) or _DOTS.search(path.split("://", 1)[1]) or "#" in url:
        return False
    return _covers(urlsplit(base), urlsplit(path))


def fhir_session(tenant: Tenant, *, connections: int) -> requests.Session:
    """A session that reaches the tenant's FHIR base URLs and nothing else, whatever it is asked for."""

    def named(url: str) -> bool:
        return any(within(url, base) for base in tenant.fhir_base_urls)

    return _session(tenant, named, connections)


def jwks_session(client: Client, tenant: Tenant) -> requests.Session:
    """A session that reaches exactly the client's configured JWKS URL (R-G02, DEC-18)."""
    return _session(tenant, lambda url: url == client.jwks_url, 1)


def smart_session(tenant: Tenant) -> requests.Session:
    """A session that reaches the tenant's FHIR base URLs and its authorization server, and nothing else."""
    own = (tenant.smart.authorization_url,) if tenant.smart.authorization_url else ()

    def named(url: str) -> bool:
        return any(within(url, base) for base in (*tenant.fhir_base_urls, *own))

    return _session(tenant, named, 1)


def terminology_session(tenant: Tenant, base_url: str) -> requests.Session:
    """A session that reaches the tenant's terminology server and nothing else, from addresses the tenant allows."""
    return _session(tenant, lambda url: within(url, base_url), 4)


def _session(tenant: Tenant, rule: doors.UrlRule, connections: int) -> requests.Session:
    return doors.session(
        url_rule=rule,
        address_rule=functools.partial(addresses.may_connect, tenant=tenant),
        connections=connections,
        verify=str(tenant.ca_bundle) if tenant.ca_bundle else True,
    )


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
