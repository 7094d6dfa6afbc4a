"""The smallest application: says how long the body was that it read, or reads none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """`/unread` answers without reading; everything else with the number of bytes read."""
    unread = environ["PATH_INFO"] == "/unread"
    told = b"unread" if unread else str(len(environ["wsgi.input"].read())).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(told)))])
    return [told]
