"""Whether an address can be listened on, before anything of a running node is touched."""

from __future__ import annotations

import socket
import time

from gunicorn.util import parse_address  # type: ignore[import-untyped]

# The workers of a start that was killed hold the address for a few seconds more.
WAIT_S = 5.0
_LOOK_S = 0.2


def why_not(bind: str, *, wait_s: float = WAIT_S) -> str | None:
    """Why nobody can listen on HOST:PORT now, in words; None where one can."""
    until = time.monotonic() + wait_s
    while (why := _tried(bind)) is not None and time.monotonic() < until:
        time.sleep(_LOOK_S)
    return why


def _tried(bind: str) -> str | None:
    address = parse_address(bind)
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return f"{bind}: {(error.strerror or 'it cannot be listened on').lower()}"
    return None
