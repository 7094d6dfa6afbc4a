"""The only ways out: an HTTP session that connects for one tenant to nothing but what a rule lets through.

The name is resolved here, every address is judged, and the connection is made to an address that was judged:
a name that changes its answer between check and use (DNS rebinding) gains nothing. TLS still verifies the name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import allowed_gai_family

AddressRule = Callable[[str, str], bool]
UrlRule = Callable[[str], bool]


class EgressRefused(requests.RequestException):
    """A call to something that this tenant's rules do not name; no packet was sent."""


def session(*, url_rule: UrlRule, address_rule: AddressRule, connections: int, verify: str | bool) -> requests.Session:
    """A session without proxies, cookies of others, retries or redirects; see `_Door`."""
    door = requests.Session()
    adapter = _Door(url_rule, address_rule, connections)
    door.mount("https://", adapter)
    door.mount("http://", adapter)
    door.trust_env = False
    door.max_redirects = 0
    door.verify = verify
    return door


class _Door(HTTPAdapter):
    """Judges the URL of every request, redirects included, and the address of every connection."""

    def __init__(self, url_rule: UrlRule, address_rule: AddressRule, connections: int) -> None:
        self._url_rule = url_rule
        self._address_rule = address_rule
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As requests builds its pools, but of connections that judge their address."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._address_rule)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send, if the URL is one that the rule names; EgressRefused otherwise."""
        if not self._url_rule(request.url or ""):
            raise EgressRefused("the URL is not one that this tenant allows")
        return super().send(request, *args, **kwargs)


def _pools(rule: AddressRule) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, rule)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, rule)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def _connect(connection: HTTPConnection, rule: AddressRule) -> socket.socket:
    """A socket to the first address of the host that answers; every address is judged before the first is tried."""
    host = connection.host.strip("[]")
    try:
        found = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except OSError as error:
        raise NewConnectionError(connection, "the host's name could not be resolved") from error
    if not found or not all(rule(host, str(address[4][0])) for address in found):
        raise NewConnectionError(connection, "the host has an address that this tenant does not allow")
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        try:
            return _open(connection, socket.socket(family, kind, protocol), address)
        except OSError as error:
            failure = error
    raise NewConnectionError(connection, "no address of the host answered") from failure


def _open(connection: HTTPConnection, opened: socket.socket, address: Any) -> socket.socket:
    try:
        for option in connection.socket_options or ():
            opened.setsockopt(*option)
        if isinstance(connection.timeout, int | float):
            opened.settimeout(connection.timeout)
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened
