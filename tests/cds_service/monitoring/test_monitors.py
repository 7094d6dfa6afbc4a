"""One file says what is watched; the page of it, the document and the rules for Prometheus are made from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from cds_service.monitoring import prometheus
from cds_service.monitoring.monitors import FILE, monitors
from models_onnx.data_files import DataFileError
from tests.simulations import document


def test_the_rules_for_prometheus_are_those_of_the_file() -> None:
    assert document.RULES.read_text(encoding="utf-8") == prometheus.rules(monitors())


def test_each_figure_has_one_rule_with_its_owner_and_action_and_a_page_that_nobody_made_has_one() -> None:
    rules = yaml.safe_load(prometheus.rules(monitors()))["groups"][0]["rules"]
    told = {rule["annotations"]["description"]: rule["labels"]["owner"] for rule in rules}
    assert len(rules) == len(monitors().figures) + 1
    assert {one.action: one.owner for one in monitors().figures}.items() <= told.items()
    assert "absent(" in rules[-1]["expr"]


@pytest.mark.end_to_end
def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(["promtool", "check", "rules", str(document.RULES)], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_document_has_every_figure_as_the_file_has_it() -> None:
    text = document.PAGE.read_text(encoding="utf-8")
    assert document.replaced(text, "figures", document.figures()) == text


def test_each_table_of_the_document_was_written() -> None:
    text = document.PAGE.read_text(encoding="utf-8")
    for name in ("alone", "family", "told"):
        assert "| --" in text.partition(f"<!-- {name}: generated -->")[2].partition(f"<!-- end of {name} -->")[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("share: 14", "share: 15"),
        ("    owner: Operator\n", "    owner: ''\n"),
        ("- name: errors", "- name: volume"),
        ("    review: day\n", "    review: daily\n"),
        ("    review: day\n", "    review: day\n    limit: 3\n"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, old: str, new: str) -> None:
    wrong = tmp_path / "monitors.yaml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataFileError):
        monitors(wrong)


def test_the_parts_of_all_charts_give_one_false_alarm_in_104_weeks() -> None:
    series = {"missing": 12, "drift": 8, "lists": 3}
    rate = sum(
        series.get(one.name, 1)
        * (5 if one.chart == "daily" else 1)
        / monitors().nominal(one.name, series.get(one.name, 1))
        for one in monitors().figures
    )
    assert 0.9 / 104 < rate * monitors().reserve <= 1 / 104
