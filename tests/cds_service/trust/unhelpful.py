"""Servers on loopback that an honest client would wait for until tomorrow: they drip, hang, break off, or never end."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

Behaviour = Callable[[socket.socket, threading.Event], None]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_PAUSE_S = 0.05
_BOMB = gzip.compress(b" " * 50_000_000, compresslevel=1)


def drip_head(client: socket.socket, ended: threading.Event) -> None:
    """A byte of the head now and then: no single `recv` ever waits long."""
    for byte in HEAD * 1000:
        if ended.wait(_PAUSE_S):
            return
        client.sendall(bytes([byte]))


def drip_body(client: socket.socket, ended: threading.Event) -> None:
    """A whole head, then a byte of the body now and then."""
    client.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    while not ended.wait(_PAUSE_S):
        client.sendall(b" ")


def drip_chunks(client: socket.socket, ended: threading.Event) -> None:
    """The same in chunks, which have no end either."""
    client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while not ended.wait(_PAUSE_S):
        client.sendall(b"1\r\n \r\n")


def drip_informational(client: socket.socket, ended: threading.Event) -> None:
    """Always another "100 Continue", never an answer."""
    while not ended.wait(_PAUSE_S):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def hang(client: socket.socket, ended: threading.Event) -> None:
    """Takes the request and says nothing."""
    ended.wait()


def half_open(client: socket.socket, ended: threading.Event) -> None:
    """Half an answer, and the connection stays as if more came."""
    client.sendall(HEAD + b"Content-Length: 10\r\n\r\n{}")
    ended.wait()


def break_off(client: socket.socket, ended: threading.Event) -> None:
    """Half an answer, and the connection ends."""
    client.sendall(HEAD + b"Content-Length: 10\r\n\r\n{}")


def huge(client: socket.socket, ended: threading.Event) -> None:
    """An answer without an end, as fast as it is taken."""
    client.sendall(HEAD + b"\r\n")
    while not ended.is_set():
        client.sendall(b" " * 65536)


def bomb(client: socket.socket, ended: threading.Event) -> None:
    """A little that inflates to a lot."""
    client.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB)


def no_http(client: socket.socket, ended: threading.Event) -> None:
    """Something else altogether."""
    client.sendall(b"220 smtp.example.org ready\r\n\r\n")


EVERY = (drip_head, drip_body, drip_chunks, drip_informational, hang, half_open, break_off, huge, bomb, no_http)


def _nothing(_base: str) -> Mapping[str, bytes]:
    return {}


@contextlib.contextmanager
def serving(behaviour: Behaviour, answered: Callable[[str], Mapping[str, bytes]] = _nothing) -> Iterator[str]:
    """The server's base URL, for the length of a test; `answered`: what it answers as it should, by path."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    well = answered(base)

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(30)
            path = client.recv(65536).partition(b" ")[2].partition(b" ")[0].decode("latin-1")
            if (body := well.get(path)) is not None:
                client.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            else:
                behaviour(client, ended)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not ended.is_set():
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield base
    finally:
        ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
