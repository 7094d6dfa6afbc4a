"""The stack of compose.yaml, started as processes from its own files, answers, and its dashboard moves.

No container engine is needed: `deploy/local.py` reads the same file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import yaml

from cds_service.web import environment, secret_files
from tests.deploy import tools
from tests.deploy.test_alerts import RULES
from tests.deploy.test_dashboard import queries

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, one in SERVICES.items() if str(one.get("image", "")).startswith("${IMAGE")]


def local() -> ModuleType:
    return tools.module("deploy_local", ROOT / "deploy/local.py")


@pytest.fixture(scope="module")
def stack() -> Iterator[Any]:
    with tools.open_folder() as folder, local().running(folder) as running:
        yield running


def asked(stack: Any, path: str, **parameters: str) -> Any:
    answer = requests.get(f"{stack.url('prometheus')}{path}", params=parameters, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def eventually(holds: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(1)


@pytest.mark.end_to_end
def test_nginx_answers_over_tls_and_hides_the_metrics(stack: Any) -> None:
    certificate = str(stack.state / "tls/certificate.pem")
    base = stack.url("tls", "https")
    assert requests.get(f"{base}/cds-services", verify=certificate, timeout=10).json()["services"]
    assert requests.get(f"{base}/metrics", verify=certificate, timeout=10).status_code == 404
    assert requests.get(f"{stack.url('surgical-risk')}/ready", timeout=10).json()["status"] == "ready"


@pytest.mark.end_to_end
def test_every_query_of_the_dashboard_is_answered_by_prometheus_from_calls(stack: Any) -> None:
    def cards() -> bool:
        return bool(asked(stack, "/api/v1/query", query='surgical_risk_answers_total{decision="card"} > 10')["result"])

    eventually(cards)
    time.sleep(10)
    empty = [title for title, expr in queries() if not asked(stack, "/api/v1/query", query=expr)["result"]]
    assert empty == []


@pytest.mark.end_to_end
def test_prometheus_follows_every_alert(stack: Any) -> None:
    rules = [rule for group in asked(stack, "/api/v1/rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(RULES)
    eventually(lambda: all(rule["health"] == "ok" for rule in asked(stack, "/api/v1/rules")["groups"][0]["rules"]))


@pytest.mark.end_to_end
def test_every_line_of_the_service_is_json_and_no_call_failed(stack: Any) -> None:
    lines = [json.loads(line) for line in (stack.folder / "surgical-risk.log").read_text("utf-8").splitlines()]
    statuses = {line["status"] for line in lines if line["event"] == "answered"}
    assert statuses <= {200, 401, 422}, "the invented EHR's own mistakes, and no other"
    assert sum(line["event"] == "answered" for line in lines) > 20


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_hardened_and_given_files_for_secrets(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    known = {*environment.names(), *secret_files.variables()}
    assert set(service.get("environment", {})) <= known
    for variable, path in service.get("environment", {}).items():
        if variable.endswith("_FILE"):
            assert path.removeprefix("/run/secrets/") in service["secrets"]


def test_no_image_floats() -> None:
    for name, service in SERVICES.items():
        if name not in OURS and "image" in service:
            assert ":" in service["image"]
            assert not service["image"].endswith(":latest")


def test_nobody_outside_reaches_the_record_and_the_metrics_stay_on_this_machine() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "pgbouncer"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]
    for name in ("prometheus", "grafana"):
        assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith(".") and "/state" not in source:
                assert (ROOT / "deploy" / source).exists(), source
