"""What was recorded of an operation in the file to learn from: of its one closed case, else empty, never an input."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.during.joined_cases import joined_cases
from cds_service.records.learning_cases import CasesAsked, learning_cases
from cds_service.records.tables import outcome
from cds_service.web.app import RECORDS
from models_onnx import registry
from models_onnx.learning_columns import CASE_COLUMNS, INPUT
from tests.cds_service.during.hospitals import a_bundle, a_tenant_of, an_hospital, an_hour, an_operation, send
from tests.cds_service.during.test_case_fhir import with_a_score
from tests.cds_service.during.test_case_pages import LATER
from tests.cds_service.during.test_earlier_estimate import ordered

AGREED = {"permitted": True, "agreement": "DUA 12"}
THREE_DAYS = timedelta(days=3)


def joined(app):
    return joined_cases(app.extensions[RECORDS].durable, a_tenant_of(app), registry.load, LATER)


def closed(folder, **members):
    app = an_hospital(folder, at=LATER, learning=AGREED, **members)
    send(app, an_hour())
    with_a_score(app)
    return app


def test_every_call_of_the_operation_has_the_figures_of_its_case(tmp_path):
    ordered(tmp_path, before=THREE_DAYS)
    ordered(tmp_path, before=timedelta(days=1))
    found = joined(closed(tmp_path))
    assert len(found) == 2
    (figures,) = {tuple(sorted(one.items())) for one in found.values()}
    told = dict(figures)
    assert tuple(told) == tuple(sorted(CASE_COLUMNS))
    assert (told["during.surgical_apgar"], told["during.minutes"], told["during.blood_loss_ml"]) == ("6", "60", "120")
    assert (told["during.map_below_65_minutes"], told["during.map_below_65_unseen_minutes"]) == ("15", "0")
    assert told["during.spo2_below_90_minutes"] == told["during.map_20_below_baseline_minutes"] == ""


@pytest.mark.parametrize("why", ["running", "withdrawn", "refused", "off"])
def test_of_a_case_that_runs_or_lacks_values_nothing_is_joined(tmp_path, why):
    ordered(tmp_path, before=THREE_DAYS)
    if why == "off":
        closed(tmp_path)
        assert joined(an_hospital(tmp_path, "off", at=LATER)) is None
        return
    app = an_hospital(tmp_path, at=LATER, during={"most_entries": 50} if why == "refused" else {})
    send(app, an_hour(ended=why != "running"))
    if why == "withdrawn":
        send(app, a_bundle(an_operation(3600, status="entered-in-error", meta={"versionId": "2"})))
    assert joined(app) == {}


def test_an_operation_of_two_cases_has_none(tmp_path):
    ordered(tmp_path, before=timedelta(days=1))
    app = closed(tmp_path)
    again = {"encounter": {"reference": "Encounter/e2"}, "id": "op2"}
    send(app, a_bundle(an_operation(3600, **again)))
    assert joined(app) == {}


def test_the_rows_to_learn_from_have_the_columns_and_no_input_is_among_them(tmp_path):
    ordered(tmp_path, before=THREE_DAYS)
    app = closed(tmp_path)
    engine = app.extensions[RECORDS].durable
    found = joined(app)
    (call,) = found
    with engine.begin() as connection:
        days = {"operated_on": date(2026, 11, 29), "observed_through": date(2027, 11, 29)}
        said = {
            "evaluation_id": call,
            "outcome": "30-day-death",
            "occurred": False,
            "source": "s",
            "recorded_at": LATER,
        }
        connection.execute(outcome.insert().values(**said, **days, tenant_id="general-hospital"))
    asked = CasesAsked(
        outcome="30-day-death",
        horizon_days=30,
        as_of=date(2027, 12, 1),
        lag_days=90,
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2028, 1, 1, tzinfo=UTC),
        inputs=("age",),
        courses=found,
    )
    (row,) = learning_cases(engine, "general-hospital", asked).rows
    assert row["during.surgical_apgar"] == "6"
    assert not any(name.startswith(INPUT) for name in CASE_COLUMNS)
    asked = CasesAsked(**{name: getattr(asked, name) for name in asked.__struct_fields__} | {"courses": {}})
    (row,) = learning_cases(engine, "general-hospital", asked).rows
    assert {row[name] for name in CASE_COLUMNS} == {""}


@pytest.mark.parametrize("mode", ["closed-case", "off"])
def test_the_command_writes_the_columns_where_the_tenant_reads_operations(tmp_path, mode):
    ordered(tmp_path, before=THREE_DAYS)
    closed(tmp_path)
    an_hospital(tmp_path, mode, learning=AGREED)
    where = ("--tenants", str(tmp_path / "tenants"), "--out", str(tmp_path / "o.csv"))
    database = ("--database", f"sqlite:///{tmp_path}/record.sqlite3")
    words = ("record", "operations", "general-hospital", "--outcome", "30-day-death")
    told = CliRunner().invoke(main, [*words, *where, *database])
    assert told.exit_code == 0, told.output
    header = next(csv.reader((tmp_path / "o.csv").read_text(encoding="utf-8").splitlines()))
    assert [name for name in header if name.startswith("during.")] == (list(CASE_COLUMNS) if mode != "off" else [])
