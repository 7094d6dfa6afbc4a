"""The ingress of deploy/nginx.conf does what the documents say of it; the test changes only ports and folders."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cds_service.records.test_kill import a_free_port

pytestmark = pytest.mark.end_to_end
FILE = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
CLIENTS = "# ssl_client_certificate /etc/surgical-risk/tls/clients.pem;\n        # ssl_verify_client on;"


class Service(http.server.BaseHTTPRequestHandler):
    """Behind the ingress: says which Authorization came through and how long the body was."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        size = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        told = f"{self.headers.get('Authorization')} {size}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def ingress(folder: Path, *, mutual: bool = False) -> Iterator[tuple[str, str]]:
    """The base URLs with and without TLS; the file differs from deploy/nginx.conf in ports and paths only."""
    _certificate(folder, "certificate", "key")
    _certificate(folder, "clients", "client-key")
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    plain, secure = a_free_port(), a_free_port()
    text = FILE.read_text(encoding="utf-8")
    for given, own in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "127.0.0.1:8000": f"127.0.0.1:{service.server_address[1]}",
        "/run/nginx.pid": f"{folder}/nginx.pid",
    }.items():
        assert text.count(given) >= 1, given
        text = text.replace(given, own)
    if mutual:
        assert CLIENTS in text
        text = text.replace(CLIENTS, CLIENTS.replace("# ", ""))
    text = text.replace("/etc/surgical-risk/tls", str(folder))
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as nginx:
        try:
            _wait(secure, folder / "log")
            yield f"https://127.0.0.1:{secure}", f"http://127.0.0.1:{plain}"
        finally:
            nginx.terminate()
            nginx.wait(10)
            service.shutdown()
            service.server_close()


def _certificate(folder: Path, name: str, key: str) -> None:
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(folder / f"{key}.pem")]
    command = ["openssl", "req", "-x509", *keys, "-out", str(folder / f"{name}.pem"), *subject]
    subprocess.run(command, check=True, capture_output=True)


def _wait(port: int, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def post(url: str, folder: Path, body: bytes = b"{}", **options: Any) -> requests.Response:
    headers = {"Authorization": "Bearer a.b.c"}
    trusted = str(folder / "certificate.pem")
    return requests.post(f"{url}/cds-services/surgical-risk", data=body, headers=headers, verify=trusted, **options)


def handshake(url: str, version: ssl.TLSVersion) -> str | None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5) as raw,
        context.wrap_socket(raw) as secured,
    ):
        return secured.version()


def test_T_01_everything_goes_over_tls_and_the_token_goes_through(tmp_path: Path) -> None:
    with ingress(tmp_path) as (secure, plain):
        assert post(secure, tmp_path).text == "Bearer a.b.c 2"
        moved = post(plain, tmp_path, allow_redirects=False)
        assert (moved.status_code, moved.headers["Location"][:8]) == (308, "https://")
        assert post(secure, tmp_path, b"x" * (5 * 1024 * 1024)).status_code == 200
        assert post(secure, tmp_path, b"x" * (5 * 1024 * 1024 + 1)).status_code == 413
        for inside in ("metrics", "ready", "readyz"):
            asked = requests.get(f"{secure}/{inside}", verify=str(tmp_path / "certificate.pem"), timeout=5)
            assert asked.status_code == 404, inside


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
def test_T_02_tls_1_2_and_1_3_and_nothing_older(tmp_path: Path) -> None:
    with ingress(tmp_path) as (secure, _):
        assert handshake(secure, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        assert handshake(secure, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                handshake(secure, old)


def test_J_19_with_mutual_tls_only_a_listed_client_gets_in(tmp_path: Path) -> None:
    with ingress(tmp_path, mutual=True) as (secure, _):
        known = (str(tmp_path / "clients.pem"), str(tmp_path / "client-key.pem"))
        stranger = (str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem"))
        assert post(secure, tmp_path, cert=known).status_code == 200
        assert post(secure, tmp_path).status_code == 400
        assert post(secure, tmp_path, cert=stranger).status_code == 400


def test_a_head_that_trickles_is_ended_here_too(tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=None)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ingress(tmp_path) as (secure, _):
        port = int(secure.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=9) as raw, context.wrap_socket(raw) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            began = time.monotonic()
            client.recv(100)
            assert time.monotonic() - began < 8
