"""`canary` and `on` need the report that was signed: untouched, passing, recent, of the models in force."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result

from cds_service.measures.intervals import Figure
from cds_service.records import recalibrations
from cds_service.tenants.tenant_files import TenantError, load
from cds_service.tenants.tenant_parts import ValidationGates
from cds_service.validation import evidence, go_live
from cds_service.validation.evidence import Evidence, GroupEvidence, ModelInForce, OutcomeEvidence
from cds_service.validation.told_models import ToldModels
from tests.cds_service.validation.conftest import opened, runs, validates
from tests.conformance.conftest import a_tenant_file

SIGNED = {"report": "Silent phase", "approved_by": "Dr. B. Smith", "date": "2026-11-20"}
RECENT = {"days": 3650, "approved_by": "Dr. B. Smith", "date": "2026-11-20"}


def a_tenant(folder: Path, **members: Any) -> None:
    a_tenant_file(folder / "tenants", **{"mode": "silent", "card_floor": None, "validation": RECENT, **members})


def sets(folder: Path, mode: str = "on", *, by: str = "A. Jones", second: str = "Dr. B. Smith") -> Result:
    words = ("--by", by, "--approved-by", second, "--reason", "signed", "--force")
    return runs(folder, "mode", "set", "general-hospital", mode, *words)


@pytest.fixture
def place(hospital: Path, tmp_path: Path) -> Path:
    """The invented hospital, to be changed."""
    shutil.copytree(hospital, tmp_path / "place")
    a_tenant(tmp_path / "place", local_validation=None)
    return tmp_path / "place"


@pytest.fixture
def sha256(place: Path) -> str:
    """Its report was made and signed."""
    done = validates(place, place / "out")
    assert done.exit_code == 0, done.output
    name = done.output.rsplit("sha256: ", 1)[1].strip()
    a_tenant(place, local_validation={**SIGNED, "sha256": name})
    return name


def changes(place: Path, statement: str) -> None:
    with opened(place) as engine, engine.begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1


@pytest.mark.parametrize("mode", ["canary", "on"])
def test_with_a_report_that_passes_it_goes_live(place: Path, sha256: str, mode: str) -> None:
    done = sets(place, mode)
    assert done.exit_code == 0, done.output
    told = runs(place, "mode", "show").output
    assert f"validation gates pass for report={sha256} by A. Jones: a report was made" in told
    assert f"mode {mode} for tenant=general-hospital" in told


def test_a_report_that_waited_less_than_the_file_asks_is_refused(place: Path, tmp_path: Path) -> None:
    gate = "days until an outcome is reported: 30; asked: at least 90"
    assert f"FAIL  {gate}" in validates(place, tmp_path / "out", "--lag-days", "30").output
    a_tenant(place, local_validation=None, validation={**RECENT, "lag_days": 30})
    assert "FAIL" not in validates(place, tmp_path / "out", "--lag-days", "30").output


def test_a_report_of_many_who_were_not_followed_is_refused_and_says_what_that_does(place: Path, tmp_path: Path) -> None:
    followed = validates(place, tmp_path / "before")
    assert "ok    any-complication: followed through the horizon: at most 0.0 % lost" in followed.output
    with opened(place) as engine, engine.begin() as connection:
        connection.exec_driver_sql(
            "update outcome set observed_through = operated_on where not occurred and rowid % 10 = 0"
        )
    lost = validates(place, tmp_path / "after").output
    (share,) = re.findall(r"FAIL  any-complication: followed through the horizon: at most (\d+\.\d) % lost", lost)
    assert 6 < float(share) < 10
    page = (tmp_path / "after" / "validation.html").read_text(encoding="utf-8")
    assert f"at most {share} %" in page
    assert "had nothing happened to all of these, it would be" in page


@pytest.mark.parametrize("mode", ["silent", "off"])
def test_to_show_nothing_needs_no_report(place: Path, mode: str) -> None:
    assert sets(place, mode).exit_code == 0


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (SIGNED, "names no sha256"),
        ({**SIGNED, "sha256": "0" * 64}, "the record holds no report 000000000000"),
    ],
)
def test_a_report_that_is_only_named_is_refused(place: Path, sha256: str, signed: dict[str, str], why: str) -> None:
    a_tenant(place, local_validation=signed)
    for mode in ("canary", "on"):
        done = sets(place, mode)
        assert done.exit_code == 1
        assert why in done.output


def test_a_report_that_was_changed_is_refused(place: Path, sha256: str) -> None:
    changes(place, "update administration set reason = replace(reason, '\"weeks\":20', '\"weeks\":40')")
    done = sets(place)
    assert done.exit_code == 1
    assert "was changed after it was made" in done.output


def test_another_tenants_report_is_refused(place: Path, sha256: str) -> None:
    changes(place, "update administration set tenant_id = 'elsewhere'")
    assert "the record holds no report" in sets(place).output


def test_a_report_of_other_models_is_refused(place: Path, sha256: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = recalibrations.in_force

    class Moved(msgspec.Struct):
        number: int = 3
        first: date = date(2025, 9, 1)
        last: date = date(2025, 12, 1)

    def recalibrated(engine: Any) -> Any:
        graph = next(one.sha256 for one in _report(place).models if one.model == "elective-complication")
        return {**real(engine), "general-hospital": {graph: Moved()}}

    monkeypatch.setattr(recalibrations, "in_force", recalibrated)
    done = sets(place)
    assert done.exit_code == 1
    assert "elective-complication 1.0.0 was validated with no recalibration and has recalibration 3 now" in done.output


def _report(place: Path) -> Evidence:
    with opened(place) as engine, engine.connect() as connection:
        told = connection.exec_driver_sql("select reason from administration where action = 'validation'").scalar()
    return msgspec.json.decode(str(told), type=Evidence)


def test_an_old_window_is_refused(place: Path, sha256: str) -> None:
    a_tenant(place, local_validation={**SIGNED, "sha256": sha256}, validation={})
    done = sets(place)
    assert done.exit_code == 1
    assert "its window ended" in done.output
    assert "at most 180 are asked" in done.output


def test_gates_are_judged_as_the_file_is_now(place: Path, sha256: str) -> None:
    stricter = {**RECENT, "auroc": 0.99, "events": {"any-complication": 100, "30-day-death": 10}}
    a_tenant(place, local_validation={**SIGNED, "sha256": sha256}, validation=stricter)
    done = sets(place)
    assert done.exit_code == 1
    assert "any-complication: AUROC: 0.72" in done.output
    assert "30-day-death: events: not known, or too few to be told; asked: at least 10" in done.output


def test_one_person_is_not_two(place: Path, sha256: str) -> None:
    done = sets(place, second=" a. jones ")
    assert done.exit_code == 1
    assert "needs a second person" in done.output


def test_a_gate_that_lets_more_pass_needs_a_name(tmp_path: Path) -> None:
    for wider in (
        {"weeks": 1},
        {"lag_days": 30},
        {"lost": 0.1},
        {"o_e": [0.5, 1.25]},
        {"events": {"30-day-death": 10}},
        {"days": 400},
        {"mapped": 0.5},
    ):
        a_tenant(tmp_path, validation=wider)
        with pytest.raises(TenantError, match="lets more pass than the default"):
            load(tmp_path / "tenants")
        a_tenant(tmp_path, validation={**wider, "approved_by": "Dr. B. Smith", "date": "2026-11-20"})
        assert load(tmp_path / "tenants")
    for wrong in ({"o_e": [2, 1]}, {"auroc": 2}, {"weeks": -1}, {"events": {"frailty": 5}}):
        a_tenant(tmp_path, validation={**RECENT, **wrong})
        with pytest.raises(TenantError, match="validation"):
            load(tmp_path / "tenants")


GRAPH = ModelInForce("m", "1.0.0", "a" * 64, 0, "any-complication")
MOVED = msgspec.structs.replace(
    GRAPH, recalibration=1, fitted_since=date(2026, 3, 2), fitted_through=date(2026, 6, 28)
)  # the last day before the weeks of GOOD
GOOD = Evidence(
    tenant="general-hospital",
    since=date(2026, 7, 1),
    until=date(2026, 11, 1),
    weeks=17,
    lag_days=90,
    mapped=0.97,
    models=(GRAPH,),
    outcomes=(
        OutcomeEvidence(
            "any-complication",
            1200,
            150,
            Figure(0.7, 0.65, 0.75),
            Figure(1.0, 0.9, 1.1),
            Figure(1.0, 0.8, 1.2),
            date(2026, 6, 29),
            date(2026, 10, 4),
            0.05,
        ),
    ),
    groups=(GroupEvidence("any-complication", "sex", "female", Figure(1.1, 0.8, 1.4)),),
    report_sha256="b" * 64,
)
OUTCOME = GOOD.outcomes[0]
TOLD = ToldModels((GRAPH,), ("m 1.0.0",), ())
FAULTY: dict[str, dict[str, Any]] = {
    "few weeks": {"weeks": 3},
    "a short lag": {"lag_days": 89},
    "many lost": {"outcomes": (msgspec.structs.replace(OUTCOME, lost=0.051),)},
    "lost unknown": {"outcomes": (msgspec.structs.replace(OUTCOME, lost=None),)},
    "unmapped": {"mapped": 0.9},
    "mapping unknown": {"mapped": None},
    "no outcome": {"outcomes": ()},
    "few operations": {"outcomes": (msgspec.structs.replace(OUTCOME, n=190),)},
    "few events": {"outcomes": (msgspec.structs.replace(OUTCOME, events=99),)},
    "too few to be told": {"outcomes": (msgspec.structs.replace(OUTCOME, n=None, events=None),)},
    "no auroc": {"outcomes": (msgspec.structs.replace(OUTCOME, auroc=Figure()),)},
    "told too low": {"outcomes": (msgspec.structs.replace(OUTCOME, o_e=Figure(1.3, 1.1, 1.5)),)},
    "no o:e": {"outcomes": (msgspec.structs.replace(OUTCOME, o_e=Figure()),)},
    "flat": {"outcomes": (msgspec.structs.replace(OUTCOME, slope=Figure(0.5, 0.3, 0.7)),)},
    "no group": {"groups": ()},
    "a group": {"groups": (GroupEvidence("any-complication", "sex", "female", Figure(2.0, 1.6, 2.4)),)},
    "other models": {"models": (msgspec.structs.replace(GRAPH, sha256="c" * 64),)},
    "a model more": {"models": ()},
    "a model less": {"models": (GRAPH, msgspec.structs.replace(GRAPH, model="n"))},
    "old": {"until": date(2026, 3, 1)},
    "in the future": {"until": date(2027, 1, 1)},
    "signed before its end": {"until": date(2026, 11, 25)},
}


@pytest.mark.parametrize("name", [None, *FAULTY])
def test_each_fault_alone_is_refused_in_words(tmp_path: Path, name: str | None) -> None:
    found = msgspec.structs.replace(GOOD, **(FAULTY[name] if name else {}))
    kept = evidence.encoded(found)
    a_tenant(tmp_path, local_validation={**SIGNED, "sha256": evidence.digest(kept)}, validation={})
    (tenant,) = load(tmp_path / "tenants")
    today = date(2026, 11, 29)
    why = go_live.refusals(tenant, lambda _: kept, told=TOLD, today=today)
    assert bool(why) == (name is not None), why
    assert go_live.refusals(tenant, lambda _: kept + b" ", told=TOLD, today=today)
    assert go_live.refusals(tenant, lambda _: None, told=TOLD, today=today)


@pytest.mark.parametrize(
    ("moved", "passes"),
    [
        (GRAPH, True),
        (MOVED, True),
        (msgspec.structs.replace(MOVED, fitted_through=date(2026, 6, 29)), False),
        (msgspec.structs.replace(MOVED, fitted_since=date(2026, 10, 4), fitted_through=date(2026, 11, 1)), False),
        (msgspec.structs.replace(MOVED, fitted_since=date(2026, 10, 5), fitted_through=date(2026, 11, 1)), True),
        (msgspec.structs.replace(MOVED, fitted_since=None, fitted_through=None), False),
        (msgspec.structs.replace(MOVED, outcome="30-day-death", fitted_through=date(2026, 8, 1)), True),
    ],
)
def test_a_recalibration_is_not_judged_on_the_operations_it_was_fitted_on(moved: ModelInForce, passes: bool) -> None:
    found = evidence.gates(msgspec.structs.replace(GOOD, models=(moved,)), ValidationGates())
    (gate,) = (one for one in found if one.name == "any-complication: recalibrated on other operations than these")
    assert gate.passes == passes, gate
    assert all(one.passes for one in found if one is not gate)


def test_evidence_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    kept = b'{"kind": "validation-9"}'
    a_tenant(tmp_path, local_validation={**SIGNED, "sha256": evidence.digest(kept)})
    (tenant,) = load(tmp_path / "tenants")
    (why,) = go_live.refusals(tenant, lambda _: kept, told=TOLD, today=date(2026, 11, 29) + timedelta(1))
    assert "is of a version that this one does not read" in why


def test_a_file_that_asks_for_no_outcome_passes_nothing() -> None:
    assert not all(one.passes for one in evidence.gates(GOOD, ValidationGates(events={})))
