"""The chart, rendered by Helm and held to Kubernetes' schemas: what runs is hardened and calls nobody unnamed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.web import gunicorn_conf
from cds_service.web.settings import Settings
from tests.conformance.conftest import a_tenant_file, an_app
from tests.deploy import tools

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/surgical-risk"
VALUES = Path(__file__).with_name("values.yaml")
# Other controllers' kinds: Kubernetes has no schema of them.
CUSTOM = ("ExternalSecret",)
_OFF = ("secrets.external.enabled", "networkPolicy.enabled", "ingress.enabled", "autoscaling.enabled")
LEAST = [word for name in _OFF for word in ("--set", f"{name}=false")]


def helm(*extra: str, version: str = "1.30.0") -> subprocess.CompletedProcess[str]:
    command = [tools.program("helm"), "template", "risk", str(CHART), "--kube-version", version, "-f", str(VALUES)]
    return subprocess.run([*command, *extra], check=False, capture_output=True, text=True, timeout=60)


def rendered(*extra: str, version: str = "1.30.0") -> list[dict[str, Any]]:
    done = helm(*extra, version=version)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of(kind: str, *extra: str) -> dict[str, Any]:
    return next(one for one in rendered(*extra) if one["kind"] == kind)


def pods() -> Iterator[dict[str, Any]]:
    """The pods of the service, of the migration and of the purge."""
    for one in rendered():
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        elif one["kind"] in ("Deployment", "Job"):
            yield one["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", ["1.27", "1.30", "1.34"])
@pytest.mark.parametrize("extra", [[], LEAST], ids=["everything", "the least"])
def test_kubernetes_takes_it_without_a_member_that_it_does_not_know(
    version: str, extra: list[str], tmp_path: Path
) -> None:
    known = [one for one in rendered(*extra, version=f"{version}.0") if one["kind"] not in CUSTOM]
    assert {"Deployment", "Service", "Job", "CronJob", "PodDisruptionBudget", "ConfigMap"} <= {
        one["kind"] for one in known
    }
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(known), encoding="utf-8")
    command = [tools.program("kubernetes-validate"), "-k", version, "--strict", "--no-warn", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASS") + done.stdout.count("INFO") >= len(known), done.stdout


def test_a_misspelt_member_would_be_told(tmp_path: Path) -> None:
    deployment = of("Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump(deployment), encoding="utf-8")
    command = [tools.program("kubernetes-validate"), "-k", "1.30", "--strict", str(file)]
    assert subprocess.run(command, check=False, capture_output=True, timeout=120).returncode != 0


def test_helm_lints_it() -> None:
    command = [tools.program("helm"), "lint", "--strict", str(CHART), "-f", str(VALUES)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_every_pod_is_hardened() -> None:
    found = list(pods())
    assert len(found) == 3
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]["type"]) == (
            True,
            "RuntimeDefault",
        )
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        assert container["image"].startswith("surgical-risk@sha256:")


def test_no_secret_stands_in_a_variable_and_every_variable_is_a_setting() -> None:
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields} | {"DATABASE_URL"}
    for pod in pods():
        for variable in pod["containers"][0].get("env", ()):
            assert variable["name"].removesuffix("_FILE") in known, variable
            assert "valueFrom" not in variable
    assert "postgresql" not in helm().stdout


def test_probes_and_drain() -> None:
    pod = of("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness", "startup")}
    assert paths == {"liveness": "/livez", "readiness": "/readyz", "startup": "/readyz"}
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) + Settings.model_fields["drain_s"].default
    assert before + gunicorn_conf.graceful_timeout + 5 <= pod["terminationGracePeriodSeconds"]
    shm = next(one for one in pod["volumes"] if one["name"] == "shm")
    assert shm["emptyDir"] == {"medium": "Memory", "sizeLimit": "256Mi"}
    assert {"name": "shm", "mountPath": "/dev/shm"} in container["volumeMounts"]


def test_the_migration_runs_before_the_pods_and_after_its_secret() -> None:
    job, secret = of("Job")["metadata"]["annotations"], of("ExternalSecret")["metadata"]["annotations"]
    assert job["helm.sh/hook"] == secret["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert int(secret["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])
    asked = {one["secretKey"] for one in of("ExternalSecret")["spec"]["data"]}
    assert asked == {"database-url", "database-url-direct", "session-key", "session-key-other", "terminology-token"}


def test_it_scales_by_cpu_and_by_the_queue() -> None:
    metrics = of("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert [one["type"] for one in metrics] == ["Resource", "Pods"]
    assert "replicas" not in of("Deployment")["spec"], "the autoscaler's number is not written over"
    assert of("Deployment", *LEAST)["spec"]["replicas"] == 2


def test_the_network_lets_out_to_the_tenants_hosts_the_record_and_names_only() -> None:
    egress = of("NetworkPolicy")["spec"]["egress"]
    places = {
        (to["ipBlock"]["cidr"], port["port"])
        for one in egress
        for to in one["to"]
        if "ipBlock" in to
        for port in one["ports"]
    }
    record = {("10.30.0.0/24", 5432), ("10.30.0.0/24", 6432)}
    assert places == record | {("192.0.2.10/32", 443), ("192.0.2.11/32", 8443)}


def test_tenants_that_cannot_be_read_here_reach_the_hosts_that_are_named() -> None:
    egress = of("NetworkPolicy", "--set", "tenants=null", "--set", "existingTenants=ours")["spec"]["egress"]
    assert {port["port"] for one in egress[2:] for port in one["ports"]} == {443}
    assert len(egress) == 4


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"networkPolicy": {"hosts": {"fhir.example.org": None}}}, "fhir.example.org"),
        ({"image": {"digest": ""}}, "image"),
        ({"image": {"digest": "", "tag": "latest"}}, "image"),
        ({"ingress": {"host": ""}}, "ingress.host"),
        ({"tenants": None}, "at least one file"),
        ({"tenants": None, "existingTenants": "ours", "networkPolicy": {"hosts": None}}, "networkPolicy.hosts"),
        ({"environment": {"CDS_SESSION_KEY": "x" * 40}}, "CDS_SESSION_KEY"),
        ({"replica": 3}, "replica"),
    ],
)
def test_what_is_missing_or_misspelt_ends_the_rendering(given: dict[str, Any], why: str, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    done = helm("-f", str(tmp_path / "more.yaml"))
    assert done.returncode != 0
    assert why in done.stderr


def test_the_ingress_lets_in_to_every_page_and_to_no_metric_or_probe(tmp_path: Path) -> None:
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants"))
    paths = {one["path"] for one in of("Ingress")["spec"]["rules"][0]["http"]["paths"]}
    tops = {"/" + rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    inside = {"/metrics", "/ready", "/livez", "/readyz"}
    assert {"/" + path.split("/")[1] for path in paths} == tops - inside
    assert of("Ingress")["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-tls-verify-client"] == "on"


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{chart["appVersion"]}"\n' in project
    assert chart["version"] == chart["appVersion"]
