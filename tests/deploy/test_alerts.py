"""Each alert fires on what it is about, not a little below it, and names the section of the runbook on what to do.

promtool comes with Debian's `prometheus`. A summary is what somebody reads at night: it is compared word for word.
"""

from __future__ import annotations

import copy
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.operations import metrics

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy/surgical-risk-alerts.yaml"
TESTS = Path(__file__).with_name("alerts.test.yaml")
RUNBOOK = "https://github.com/surgical-risk/surgical-risk/blob/main/"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}


def written() -> list[dict[str, Any]]:
    return yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]


def cases() -> list[dict[str, Any]]:
    return [case for test in written() for case in test["alert_rule_test"]]


def expected(alert: dict[str, Any], name: str) -> dict[str, Any]:
    """As promtool wants it: with the annotations that stand in the rule, beside the summary that the test has."""
    labels, notes = alert["exp_labels"], RULES[name]["annotations"]
    description = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda one: labels[one[1]], notes["description"])
    told = {"summary": alert["summary"], "description": description, "runbook_url": notes["runbook_url"]}
    return {"exp_labels": labels, "exp_annotations": told}


@pytest.mark.end_to_end
def test_promtool_fires_each_alert_and_lets_each_be_quiet(tmp_path: Path) -> None:
    tests = copy.deepcopy(written())
    for test in tests:
        for case in test["alert_rule_test"]:
            case["exp_alerts"] = [expected(alert, case["alertname"]) for alert in case["exp_alerts"]]
    asked = {"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(asked), encoding="utf-8")
    for command in (["check", "rules", str(FILE)], ["test", "rules", str(tmp_path / "tests.yaml")]):
        done = subprocess.run(["promtool", *command], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", RULES)
def test_each_alert_is_fired_and_is_quiet_in_some_test(name: str) -> None:
    own = [bool(case["exp_alerts"]) for case in cases() if case["alertname"] == name]
    assert set(own) == {True, False}, "one case in which it fires, and one in which it does not"


@pytest.mark.parametrize("name", RULES)
def test_each_alert_leads_to_its_section_of_the_runbook(name: str) -> None:
    url = RULES[name]["annotations"]["runbook_url"]
    page, _, anchor = url.removeprefix(RUNBOOK).partition("#")
    assert url.startswith(RUNBOOK)
    headings = re.findall(r"^##+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert name in headings


def test_the_runbook_has_no_section_for_an_alert_that_is_gone() -> None:
    headings = re.findall(r"^##+ (SurgicalRisk\w+)$", (ROOT / "docs/runbook.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(RULES)


def test_the_runbook_explains_refusals_that_are_made() -> None:
    section = (ROOT / "docs/runbook.md").read_text("utf-8").split("### SurgicalRiskCallersRefused")[1].split("###")[0]
    made = re.findall(r'_Refusal\("([a-z-]+)"\)', (ROOT / "cds_service/trust/client_jwt.py").read_text("utf-8"))
    assert set(re.findall(r"`([a-z-]+)`", section)) - {"reason"} <= set(made)


def counted() -> set[str]:
    """Every name that a scrape of the service has."""
    found = {
        f"{metric._name}{suffix}"
        for metric in vars(metrics).values()
        if hasattr(metric, "_labelnames")
        for suffix in {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric._type, ("",))
    }
    return found | {"up"}


@pytest.mark.parametrize("name", RULES)
def test_an_alert_reads_what_the_service_counts(name: str) -> None:
    assert set(re.findall(r"\bsurgical_risk_\w+", RULES[name]["expr"])) <= counted()
