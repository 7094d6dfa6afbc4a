"""Models promoted, broken and promoted back while people ask: no request fails, and no answer is half of each."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.acceptance.requests import a_request
from tests.end_to_end import servers
from tests.models_onnx.versions import a_folder_with_second_version

pytestmark = pytest.mark.end_to_end

CLIENTS = 6
WORKERS = 2
WITHIN_S = 60.0
LOST = 0  # as if it were a status: no answer came
ANSWER = "io.surgical-risk.assessment"


class Asking(threading.Thread):
    """A client that asks again and again until told to stop, and keeps what it was answered."""

    def __init__(self, url: str, stop: threading.Event) -> None:
        super().__init__()
        self.answers: list[tuple[int, Any]] = []
        self._url, self._stop_asking = url, stop

    def run(self) -> None:
        with requests.Session() as session:
            while not self._stop_asking.is_set():
                try:
                    response = session.post(f"{self._url}/cds-services/surgical-risk", json=a_request(), timeout=10)
                    self.answers.append((response.status_code, response.json()))
                except requests.RequestException as error:
                    self.answers.append((LOST, type(error).__name__))
                time.sleep(0.01)


@contextlib.contextmanager
def load_on(url: str) -> Iterator[list[Asking]]:
    stop = threading.Event()
    clients = [Asking(url, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        stop.set()
        for client in clients:
            client.join()


def loads(url: str, result: str) -> float:
    """How often a worker took or refused other models, over all workers."""
    exposed = requests.get(f"{url}/metrics", timeout=10).text
    found = re.search(rf'surgical_risk_model_loads_total{{result="{result}"}} (\S+)', exposed)
    return float(found[1]) if found else 0.0


def wait_until(holds: Any, what: str) -> None:
    until = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < until, f"not within {WITHIN_S} s: {what}"
        time.sleep(0.2)


def sort_of(body: Any) -> tuple[str, float, str]:
    """Version, probability and hash of the one SORT that the answer names."""
    (card,) = body["cards"]
    (told,) = [one for one in card["extension"][ANSWER]["predictions"] if one["model"] == "sort-2014"]
    return told["version"], told["probability"], told["modelSha256"]


def everybody_is_told(version: str, clients: list[Asking]) -> bool:
    """Whether the latest answer of each client was given after now, and by this version."""
    seen = [len(client.answers) for client in clients]
    wait_until(lambda: all(len(c.answers) > n + 1 for c, n in zip(clients, seen, strict=True)), "everybody is answered")
    return all(status == 200 and sort_of(body)[0] == version for status, body in (c.answers[-1] for c in clients))


def put(path: Path, content: bytes) -> None:
    """Replace a file in one step."""
    beside = path.with_suffix(".put")
    beside.write_bytes(content)
    beside.replace(path)


def test_models_change_under_load_without_a_lost_request_or_a_half_answer(tmp_path: Path) -> None:
    models = a_folder_with_second_version(tmp_path / "models")
    port = servers.free_port()
    url, log = f"http://127.0.0.1:{port}", tmp_path / "log"
    environment = {**os.environ, "CDS_MODELS": str(models)}
    program = [sys.executable, "-m", "cds_service.commands.cli"]
    command = [*program, "serve", "--demo", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}"]

    def promote(version: str) -> None:
        words = ["models", "promote", "sort-2014", version, "--by", "A. Jones", "--reason", "the test"]
        subprocess.run([*program, *words], cwd=tmp_path, env=environment, check=True, capture_output=True)

    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=output, stderr=output) as service,
    ):
        try:
            servers.wait(service, f"{url}/ready", log)
            with load_on(url) as clients:
                time.sleep(1)
                promote("1.1.0")
                wait_until(lambda: everybody_is_told("1.1.0", clients), "every worker has the new version")
                good = (models / "registry.yaml").read_bytes()
                put(models / "registry.yaml", good[: len(good) // 2])
                wait_until(lambda: loads(url, "refused") >= WORKERS, "every worker refuses the broken registry")
                assert "registry.yaml" in requests.get(f"{url}/ready", timeout=10).json()["modelsRefused"]
                put(models / "registry.yaml", good)
                wait_until(lambda: loads(url, "loaded") >= 2 * WORKERS, "every worker takes the repaired registry")
                assert everybody_is_told("1.1.0", clients)
                promote("1.0.0")
                wait_until(lambda: loads(url, "loaded") >= 3 * WORKERS, "every worker has the former version again")
                wait_until(lambda: everybody_is_told("1.0.0", clients), "everybody is told the former version again")
        finally:
            service.terminate()
            assert service.wait(30) == 0

    answers = [answer for client in clients for answer in client.answers]
    assert [answer for answer in answers if answer[0] != 200] == []
    told = [sort_of(body) for _, body in answers]
    assert {version for version, _, _ in told} == {"1.0.0", "1.1.0"}
    assert len(set(told)) == 2, "a version has one probability and one hash, and no other"
    for kept in _kept(tmp_path):
        assert sorted(one["version"] for one in kept) == ["1.0.0", "1.1.0"]
        assert [one.get("state") for one in kept] in (["challenger", None], [None, "challenger"])
    assert len(_kept(tmp_path)) == len(answers)


def _kept(folder: Path) -> list[list[dict[str, Any]]]:
    """Of every evaluation on record, what each version of SORT said."""
    with contextlib.closing(sqlite3.connect(folder / "surgical-risk.sqlite3")) as connection:
        rows = connection.execute("SELECT models FROM evaluation").fetchall()
    return [[one for one in json.loads(models) if one["model"] == "sort-2014"] for (models,) in rows]
