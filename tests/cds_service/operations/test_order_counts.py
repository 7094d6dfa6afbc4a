"""Orders are counted by code system and whether they are mapped; above 5 % unmapped the alert rule fires."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.operations import metrics
from fhir_mappings.orders import operation_codes
from tests.acceptance.requests import CPT, FUSION, a_request, an_order
from tests.cds_service.answering.test_calls import ask, kept
from tests.conformance.conftest import a_tenant_file, an_app

ROOT = Path(__file__).resolve().parents[3]
RULES = yaml.safe_load((ROOT / "deploy/surgical-risk-alerts.yaml").read_text(encoding="utf-8"))
(RULE,) = (
    rule for group in RULES["groups"] for rule in group["rules"] if rule["alert"] == "SurgicalRiskOrdersUnmapped"
)
EXPRESSION = " ".join(RULE["expr"].split())
_TERM = r"sum by \(tenant\) \(increase\((\w+)(?:\{(\w+)=\"(\w+)\"\})?\[1d\]\)\)"


def fires(counted: dict[tuple[str, str, str], float]) -> dict[str, float]:
    """The tenants that the rule names with their share, by the arithmetic of PromQL: 0/0 is above nothing."""
    matched = re.fullmatch(rf"{_TERM} / {_TERM} > ([\d.]+)", EXPRESSION)
    assert matched, "the test no longer understands the rule"
    name, label, value, whole, no_label, _, limit = matched.groups()
    assert (name, whole, no_label) == ("surgical_risk_orders_total", "surgical_risk_orders_total", None)
    at = ("tenant", "system", "outcome").index(label)
    above: dict[str, float] = {}
    for tenant in {key[0] for key in counted}:
        own = {key: number for key, number in counted.items() if key[0] == tenant}
        part, all_of_it = sum(n for key, n in own.items() if key[at] == value), sum(own.values())
        if all_of_it and part / all_of_it > float(limit):
            above[tenant] = part / all_of_it
    return above


@pytest.mark.parametrize(
    ("mapped", "unmapped", "fired"),
    [(0, 0, False), (100, 0, False), (95, 5, False), (94, 6, True), (0, 1, True), (19, 1, False), (18, 1, True)],
)
def test_the_alert_fires_above_five_in_a_hundred(mapped: int, unmapped: int, fired: bool) -> None:
    counted = {("a", "CPT", "mapped"): mapped, ("a", "site's own", "unmapped"): unmapped, ("b", "CPT", "mapped"): 9}
    assert ("a" in fires(counted), "b" in fires(counted)) == (fired, False)


def test_the_rule_counts_what_the_service_counts() -> None:
    (family,) = metrics.orders.collect()
    assert {f"{family.name}_total"} == set(re.findall(r"surgical_risk_\w+", EXPRESSION))
    assert metrics.orders._labelnames == ("tenant", "system", "outcome")


def test_the_commands_that_the_alert_names_exist() -> None:
    assert "cds-service codes unmapped" in RULE["annotations"]["description"]


def counts(tenant: str) -> dict[tuple[str, str, str], float]:
    (family,) = metrics.orders.collect()
    return {
        tuple(sample.labels.values()): sample.value  # type: ignore[misc]
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels["tenant"] == tenant
    }


def test_every_count_begins_at_nought_and_there_are_few_of_them() -> None:
    metrics.prepare_orders("fresh", operation_codes.LABELS)
    assert set(counts("fresh").values()) == {0.0}
    assert len(counts("fresh")) == 2 * len(operation_codes.LABELS) <= 20


def asked(tmp_path: Path, *orders: dict[str, Any]) -> tuple[list[Any], dict[tuple[str, ...], float]]:
    """What the record keeps of one call with these orders, and what it adds to the counts."""
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants"))
    before = counts("general-hospital")
    assert ask(app, a_request(*orders)).status_code == 200
    after = counts("general-hospital")
    (row,) = kept(app, "decision, reason, unmapped")
    return list(row), {key[1:]: after[key] - before[key] for key in after if after[key] > before[key]}


def test_an_unmapped_order_is_named_in_the_record_and_counted_by_its_system(tmp_path: Path) -> None:
    row, counted = asked(tmp_path, an_order((CPT, "29999")))
    assert row == ["silence", "unmapped-procedure", json.dumps([[CPT, "29999"]], separators=(",", ":"))]
    assert counted == {("CPT", "unmapped"): 1}


def test_an_unmapped_order_beside_one_that_is_told_is_named_too(tmp_path: Path) -> None:
    row, counted = asked(tmp_path, an_order(FUSION), an_order(("urn:site", "X9"), order_id="other"))
    assert row == ["card", None, '[["urn:site","X9"]]']
    assert counted == {("CPT", "mapped"): 1, ("site's own", "unmapped"): 1}


def test_an_order_without_a_code_is_counted_and_none_of_its_words_kept(tmp_path: Path) -> None:
    row, counted = asked(tmp_path, an_order() | {"code": {"text": "Fusion for Mr Smith"}})
    assert row == ["silence", "unmapped-procedure", '[["",""]]']
    assert counted == {("none", "unmapped"): 1}


def test_however_many_code_systems_there_are_they_make_no_new_count(tmp_path: Path) -> None:
    orders = [an_order((f"urn:system:{number}", "X"), order_id=f"o{number}") for number in range(300)]
    row, counted = asked(tmp_path, *orders)
    assert counted == {("site's own", "unmapped"): 300}
    assert len(json.loads(row[2])) == 20


def test_a_mapped_order_leaves_no_code_in_the_record(tmp_path: Path) -> None:
    row, counted = asked(tmp_path, an_order(FUSION))
    assert row == ["card", None, None]
    assert counted == {("CPT", "mapped"): 1}
