"""What tells of the service has a listener of its own: however many clients hold the other, every probe is answered."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cds_service.records.test_kill import a_free_port
from tests.end_to_end import nodes
from tests.end_to_end.nodes import Node

pytestmark = pytest.mark.end_to_end
MANY = 1_500  # gunicorn takes no more than a thousand of a worker (its worker_connections)
PROBES_S = 6.0
HEALTH_S = 0.2
PROBE_S = 1.0  # Kubernetes' default patience; the slow clients share this machine with the worker
TELLING = ("/livez", "/health", "/readyz", "/metrics")


@pytest.fixture
def told_at(tmp_path: Path) -> Iterator[tuple[Node, str]]:
    own = f"127.0.0.1:{a_free_port()}"
    with nodes.node(tmp_path, None, "--workers", "1", CDS_HEALTH_BIND=own, CDS_DRAIN_S="3") as node:
        yield node, f"http://{own}"


@contextlib.contextmanager
def many_slow_clients(port: int) -> Iterator[None]:
    """So many that a head never ends; one that is sent away comes back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * MANY), hard), hard))
    ended = threading.Event()

    def hold() -> None:
        held: list[socket.socket] = []
        while not ended.wait(0.02):
            held = [one for one in held if is_open(one)]
            with contextlib.suppress(OSError):
                while len(held) < MANY and not ended.is_set():
                    held.append(a_slow_client(port))
        for one in held:
            one.close()

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        time.sleep(2)
        yield
    finally:
        ended.set()
        holding.join()


def a_slow_client(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=0.5)
    client.setblocking(False)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nX: ")
    return client


def is_open(client: socket.socket) -> bool:
    try:
        client.recv(100)
    except BlockingIOError:
        return True
    except OSError:
        pass
    client.close()
    return False


def test_every_probe_is_answered_at_once_while_a_worker_is_full(told_at: tuple[Node, str]) -> None:
    """At the shared address four probes of 15 seconds were answered, each after five."""
    node, own = told_at
    took = []
    with many_slow_clients(int(node.url.rpartition(":")[2])):
        until = time.monotonic() + PROBES_S
        while time.monotonic() < until:
            for path in TELLING[:3]:
                began = time.monotonic()
                assert requests.get(own + path, timeout=5).status_code == 200
                took.append(time.monotonic() - began)
            time.sleep(0.05)
    print(f"\n{len(took)} probes, the longest {1000 * max(took):.0f} ms")
    assert sorted(took)[len(took) * 9 // 10] <= HEALTH_S
    assert max(took) <= PROBE_S


def test_nothing_else_is_answered_there_and_all_of_it_at_the_other_too(told_at: tuple[Node, str]) -> None:
    node, own = told_at
    with requests.Session() as session:
        for path in TELLING:
            assert session.get(own + path, timeout=5).status_code == 200
            assert node.ask(path).status_code == 200
    for path in ("/", "/cds-services", "/smart/launch", "/health/x", "//health", "/health;x", "http://x/cds-services"):
        assert raw(own, path).startswith(b"HTTP/1.1 404 "), path
    assert node.call().status_code == 200


def raw(own: str, path: str) -> bytes:
    host, _, port = own.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return client.recv(1000)


def test_a_node_that_takes_leave_says_so_there_until_it_is_gone(told_at: tuple[Node, str]) -> None:
    node, own = told_at
    node.master.send_signal(signal.SIGTERM)
    assert nodes.until(lambda: requests.get(f"{own}/readyz", timeout=5).status_code == 503, 2)
    assert requests.get(f"{own}/livez", timeout=5).status_code == 200
    assert node.master.wait(20) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{own}/livez", timeout=5)
