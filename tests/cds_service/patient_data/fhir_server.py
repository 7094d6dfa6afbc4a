"""A real HTTP server on the loopback interface that answers as a test tells it, and counts what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Respond = Callable[[str], tuple[int, Any]]


@dataclass
class FhirServer:
    """Its base URL, and every request it saw with its Authorization header."""

    base: str
    seen: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.seen]


@contextmanager
def serving(respond: Respond, *, delay_s: float = 0.0, location: str | None = None) -> Iterator[FhirServer]:
    """Serve `respond(path) -> (status, body)` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet: else a delayed acknowledgement adds 40 ms to every answer

        def do_GET(self) -> None:
            server.seen.append((self.path, self.headers.get("Authorization")))
            time.sleep(delay_s)
            status, body = respond(self.path)
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            try:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = FhirServer(base=f"http://127.0.0.1:{http.server_port}/fhir")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
