"""The report of an invented hospital: its figures are the truth's, and nobody is named or can be singled out."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import defaultdict
from pathlib import Path

import msgspec
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cds_service.records.answered_calls import answered_calls
from cds_service.records.rows import EvaluationRow
from tests.cds_service.records.rows_of import an_evaluation
from tests.cds_service.validation import invented
from tests.cds_service.validation.conftest import opened, runs, validates
from tests.conformance.conftest import a_tenant_file


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_figures_are_those_of_the_cases(hospital: Path, report: Path) -> None:
    found = {(row["outcome"], row["figure"]): row for row in table(report, "figures.csv")}
    with opened(hospital) as engine:
        rows = {row.id: row for row in engine.connect().exec_driver_sql("select id, result from evaluation")}
        said = engine.connect().exec_driver_sql("select evaluation_id, occurred from outcome").all()
    risk = [json.loads(rows[of].result)["predictions"][0]["probability"] for of, _ in said if of in rows]
    happened = [bool(occurred) for of, occurred in said if of in rows]
    told = found[invented.OUTCOME, "auroc"]
    assert float(told["value"]) == pytest.approx(roc_auc_score(happened, risk), abs=0.01)
    assert float(told["low"]) < float(told["value"]) < float(told["high"])
    o_e = found[invented.OUTCOME, "o_e"]
    assert float(o_e["low"]) < 1.0 < float(o_e["high"])  # the model is right in this hospital
    assert float(found[invented.OUTCOME, "slope"]["low"]) < 1.0 < float(found[invented.OUTCOME, "slope"]["high"])


def test_the_told_figure_is_held_against_what_little_would_do(report: Path) -> None:
    rows = [row for row in table(report, "comparisons.csv") if row["measure"] == "auroc"]
    assert len(rows) == 4
    assert all(float(row["told"]) > float(row["its"]) - 0.03 for row in rows)
    by = {row["rule"].split(" (")[0]: float(row["its"]) for row in rows}
    assert by["ASA class alone"] > by["mean of the operation, here"]


def test_page_and_tables_hold_no_identifier_and_run_nothing(hospital: Path, report: Path) -> None:
    with opened(hospital) as engine:
        ids = {of for (of,) in engine.connect().exec_driver_sql("select id from evaluation")}
    for path in report.iterdir():
        text = path.read_text(encoding="utf-8")
        named = {one for one in re.findall(r"[0-9a-f-]{36}|\bp-\d+\b", text) if one in ids or one.startswith("p-")}
        assert not named or path.name == "review-sample.csv", path
    page = (report / "validation.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=", page)
    assert "@media print" in page
    assert page.count("<svg") >= 4


def test_what_is_signed_is_a_file_that_anybody_can_hash(hospital: Path, tmp_path: Path) -> None:
    told = validates(hospital, tmp_path / "report").output
    evidence = (tmp_path / "report" / "evidence.json").read_bytes()
    document = (tmp_path / "report" / "validation.json").read_bytes()
    assert f"sha256: {hashlib.sha256(evidence).hexdigest()}" in told
    assert json.loads(evidence)["report_sha256"] == hashlib.sha256(document).hexdigest()


def test_twenty_operations_are_drawn_by_a_seed(hospital: Path, report: Path, tmp_path: Path) -> None:
    rows = table(report, "review-sample.csv")
    assert len({row["evaluation_id"] for row in rows}) == 20
    assert validates(hospital, tmp_path / "again").exit_code == 0
    assert validates(hospital, tmp_path / "other", "--seed", "2").exit_code == 0
    assert (tmp_path / "again" / "review-sample.csv").read_bytes() == (report / "review-sample.csv").read_bytes()
    assert table(tmp_path / "other", "review-sample.csv") != rows
    assert (report / "review-sample.csv").stat().st_mode & 0o077 == 0


def test_a_window_that_is_too_young_has_no_figure(hospital: Path, tmp_path: Path) -> None:
    done = validates(hospital, tmp_path, "--lag-days", "365")
    assert done.exit_code == 0
    assert "any-complication: observed to expected: not known, or too few to be told" in done.output
    assert [row for row in table(tmp_path, "counts.csv") if row["group"] == "not-mature"]


def test_what_is_not_recorded_is_told_so(report: Path) -> None:
    page = (report / "validation.html").read_text(encoding="utf-8")
    unknown = [row for row in table(report, "groups.csv") if row["group"] == "not recorded" and not row["outcome"]]
    assert {row["dimension"] for row in unknown} == {"race", "ethnicity", "language", "payer"}
    assert page.count("Not recorded: nothing is known") == 4


def cohorts(hospital: Path, folder: Path) -> Path:
    """A site's file: a language that few speak, and a payer that nobody named for some."""
    with opened(hospital) as engine:
        ids = [of for (of,) in engine.connect().exec_driver_sql("select id from evaluation order by id")]
    lines = [
        f"{of},{'Navajo' if k < 6 else 'Spanish' if k % 4 == 0 else 'English'},{'public' if k % 2 else ''}"
        for k, of in enumerate(ids)
    ]
    path = folder / "cohorts.csv"
    path.write_text("\n".join(["evaluation_id,language,payer", *lines]), encoding="utf-8")
    return path


def test_a_group_of_few_is_hidden_and_no_table_gives_it_back(hospital: Path, tmp_path: Path) -> None:
    done = validates(hospital, tmp_path / "out", "--cohorts", str(cohorts(hospital, tmp_path)))
    assert done.exit_code == 0, done.output
    rows = table(tmp_path / "out", "counts.csv")
    counts = {row["group"]: row["n"] for row in rows if row["table"] == "group: language"}
    assert counts["Navajo"] == ""
    assert sum(not n for n in counts.values()) > 1
    events: dict[str, set[str]] = defaultdict(set)
    for row in table(tmp_path / "out", "groups.csv"):
        events[row["group"]].add(row["events"])
        if row["group"] and not counts.get(row["group"], "1"):
            assert (row["events"], row["value"]) == ("", "")
    assert events["Navajo"] == {""}
    whole = json.loads((tmp_path / "out" / "validation.json").read_text(encoding="utf-8"))
    assert not [one for one in whole["outcomes"][0]["groups"] if "n" in one or "events" in one]
    assert "payer" in {row["dimension"] for row in table(tmp_path / "out", "groups.csv") if row["events"]}


def test_a_file_of_groups_that_says_nothing_is_refused(hospital: Path, tmp_path: Path) -> None:
    path = tmp_path / "cohorts.csv"
    path.write_text("id,race\n1,x\n", encoding="utf-8")
    done = validates(hospital, tmp_path / "out", "--cohorts", str(path))
    assert done.exit_code == 1
    assert "needs evaluation_id" in done.output


def test_a_model_that_is_no_longer_in_force_gives_no_figure(tmp_path: Path) -> None:
    def older(row: EvaluationRow) -> EvaluationRow:
        told = {**row.result["predictions"][0], "modelSha256": "0" * 64}
        return msgspec.structs.replace(row, result={**row.result, "predictions": [told]})

    with opened(tmp_path) as engine:
        invented.a_hospital(engine, n=300, change=older)
    a_tenant_file(tmp_path / "tenants", mode="silent", card_floor=None, local_validation=None)
    assert validates(tmp_path, tmp_path / "out").exit_code == 0
    rows = {row["group"]: row["n"] for row in table(tmp_path / "out", "counts.csv") if row["table"].endswith("figure")}
    assert "of a model no longer in force" in rows
    figures = {row["figure"]: row["value"] for row in table(tmp_path / "out", "figures.csv")}
    assert figures["auroc"] == ""


def test_calls_that_say_nothing_are_counted_by_their_reason(tmp_path: Path) -> None:
    silent = {"decision": "silence", "mode": "silent", "procedure_group": None, "result": None, "cards": ()}
    reasons = ["unmapped-procedure"] * 3 + ["deceased"] * 2 + ["not-elective"] * 30
    failed = {**silent, "status": 412, "decision": "error"}
    rows = [an_evaluation(reason=reason, received_at=invented.FIRST, **silent) for reason in reasons]
    rows += [an_evaluation(reason="deadline", received_at=invented.FIRST, **failed)]
    with opened(tmp_path) as engine:
        invented.a_hospital(engine, n=300)
        invented.keep(engine, rows, [])
    a_tenant_file(tmp_path / "tenants", mode="silent", card_floor=None, local_validation=None)
    assert validates(tmp_path, tmp_path / "out").exit_code == 0
    found = {(row["table"], row["group"]): row["n"] for row in table(tmp_path / "out", "counts.csv")}
    assert found["silent", "unmapped-procedure"] == "3"
    assert found["failed", "deadline"] == "1"
    assert found["answered", "deceased"] == ""
    assert found["calls", "mapped"] == str(int(found["calls", "with_operation"]) - 3)


def test_a_row_of_an_earlier_version_is_not_counted_as_no_card(tmp_path: Path) -> None:
    def earlier(row: EvaluationRow) -> EvaluationRow:
        return msgspec.structs.replace(row, result={k: v for k, v in row.result.items() if k != "speech"})

    with opened(tmp_path) as engine:
        invented.a_hospital(engine, n=300, change=earlier)
        end = invented.FIRST.replace(year=2027)
        calls = list(answered_calls(engine, "general-hospital", since=invented.FIRST, until=end))
    assert {call.result.speech for call in calls if call.result} == {None}
    a_tenant_file(tmp_path / "tenants", mode="silent", card_floor=None, local_validation=None)
    assert validates(tmp_path, tmp_path / "out").exit_code == 0
    page = (tmp_path / "out" / "validation.html").read_text(encoding="utf-8")
    assert "the record does not say enough" in page


def test_an_empty_window_and_an_unknown_tenant_are_refused(hospital: Path, tmp_path: Path) -> None:
    backwards = validates(hospital, tmp_path, "--until", "2025-01-01")
    words = ("validate", "nobody", "--since", "2026-01-01", "--by", "A. Jones", "--out", str(tmp_path))
    assert "the window is empty" in backwards.output
    ahead = validates(hospital, tmp_path, "--until", "2999-01-01")
    assert (ahead.exit_code, "a day that is over, or today" in ahead.output) == (2, True)
    assert "no tenant 'nobody'" in runs(hospital, *words).output


def test_the_report_counts_operations_and_not_calls(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        rows = invented.a_hospital(engine, n=300)
        again = [msgspec.structs.replace(row, id=f"{k:036}", cards=()) for k, row in enumerate(rows)]
        invented.keep(engine, again, [])
    a_tenant_file(tmp_path / "tenants", mode="silent", card_floor=None, local_validation=None)
    assert validates(tmp_path, tmp_path / "out").exit_code == 0
    whole = json.loads((tmp_path / "out" / "validation.json").read_text(encoding="utf-8"))
    assert whole["volume"]["calls"] == 2 * whole["operations"]
    assert whole["repeated"] == whole["operations"]
    assert np.isfinite(whole["outcomes"][0]["auroc"]["value"])
