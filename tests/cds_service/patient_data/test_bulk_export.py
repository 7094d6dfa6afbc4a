"""Bulk Data: asked for, waited for, taken and let go of; the token never leaves the server it is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.patient_data import bulk_export, site_export
from cds_service.patient_data.site_export import ExportError
from tests.builders import a_condition, a_patient
from tests.cds_service.trust.listener import Listener, listening

CAPABLE = {"rest": [{"operation": [{"name": "export", "definition": "x"}]}]}


class BulkServer:
    """Answers as the Bulk Data guide says, "in progress" twice; `files` may lie elsewhere."""

    def __init__(self, *, files: str | None = None, kickoff: int = 202, status: int = 200) -> None:
        self.files, self.kickoff, self.status, self.polls = files, kickoff, status, 0
        self.base = ""

    def __call__(self, path: str) -> tuple[int, dict[str, str], bytes]:
        path = path.removeprefix("/fhir")
        if path == "/metadata":
            return 200, {}, json.dumps(CAPABLE).encode()
        if path.startswith("/$export"):
            return self.kickoff, {"Content-Location": f"{self.base}/status/1"}, b""
        if path == "/status/1":
            self.polls += 1
            if self.polls <= 2:
                return 202, {"Retry-After": "7", "X-Progress": f"{self.polls} of 3"}, b""
            kinds = ("Patient", "Condition")
            files = [{"type": kind, "url": f"{self.files or self.base}/file/{kind}"} for kind in kinds]
            return self.status, {}, json.dumps({"output": files}).encode()
        content: Any = a_patient() if path.endswith("Patient") else a_condition("E11.9")
        return 200, {}, json.dumps(content).encode() + b"\n"


def run(answer: BulkServer, folder: Path, token: str | None = "lent", **options: Any) -> tuple[Any, Listener, Any]:
    told: list[Any] = []
    with listening(answer) as server:
        answer.base = server.url("/fhir")
        access = site_export.server(answer.base, token).access
        try:
            result: Any = bulk_export.download(access, folder, told=told.append, sleep=told.append, **options)
        except ExportError as error:
            result = error
    return result, server, told


def test_an_export_is_asked_for_waited_for_and_taken(tmp_path: Path) -> None:
    files, server, told = run(BulkServer(), tmp_path)
    assert files == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000-Patient.ndjson", "00001-Condition.ndjson"]
    assert told == ["1 of 3", 7.0, "2 of 3", 7.0, "Patient (1 of 2)", "Condition (2 of 2)"]
    paths = [path for path, _ in server.requests]
    assert paths[0].startswith("/fhir/$export?_type=Patient,")
    assert server.requests[0][1]["Prefer"] == "respond-async"
    assert {headers["Authorization"] for _, headers in server.requests} == {"Bearer lent"}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (BulkServer(kickoff=401), "answered 401 to"),
        (BulkServer(status=500), "answered 500"),
        (BulkServer(files="https://bucket.example/x"), "elsewhere"),
    ],
)
def test_what_the_server_refuses_is_told(tmp_path: Path, answer: BulkServer, why: str) -> None:
    error, _, _ = run(answer, tmp_path)
    assert why in str(error)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_never_ready_ends(tmp_path: Path) -> None:
    error, _, _ = run(BulkServer(), tmp_path, wait_at_most_s=0.0)
    assert "not ready in time" in str(error)


def test_the_command_takes_an_export_where_the_server_offers_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_export.download, "__kwdefaults__", {**bulk_export.download.__kwdefaults__, "sleep": id})
    answer = BulkServer()
    with listening(answer) as server:
        answer.base = server.url("/fhir")
        words = ["--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv")]
        done = CliRunner().invoke(main, ["mapping-report", "--fhir", answer.base, *words])
    assert "1 patients read, 0 unreadable" in done.output
    assert "present,diabetes,,,1" in (tmp_path / "r.csv").read_text()
    assert not any(path.startswith("/fhir/Patient") for path, _ in server.requests)
