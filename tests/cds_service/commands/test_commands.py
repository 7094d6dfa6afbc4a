"""What people type: modes, kill switch, migration, export and purge."""

import json

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from tests.cds_service.records.present import a_worker_uses
from tests.cds_service.records.rows_of import NOON, SENDER, a_feedback, an_evaluation
from tests.conformance.conftest import a_tenant_file

WHO = ("--by", "A. Jones", "--reason", "review")


@pytest.fixture
def run(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/r.sqlite3", "CDS_TENANTS": str(tmp_path / "tenants")}
    a_tenant_file(tmp_path / "tenants")

    def command(*words):
        return CliRunner().invoke(main, words, env=environment)

    assert command("record", "migrate").exit_code == 0
    a_worker_uses(environment["DATABASE_URL"], "general-hospital")
    return command


def test_on_in_production_needs_a_second_person(run):
    assert "second person" in run("mode", "set", "general-hospital", "on", *WHO).output
    assert run("mode", "set", "general-hospital", "on", *WHO, "--approved-by", " a. jones ").exit_code == 1
    assert (
        "local_validation names no sha256"
        in run("mode", "set", "general-hospital", "on", *WHO, "--approved-by", "B. Smith").output
    )
    assert run("mode", "set", "general-hospital", "silent", *WHO, "--approved-by", "B. Smith").exit_code == 0
    told = run("mode", "show").output
    assert "A. Jones, approved by B. Smith: review" in told


def test_an_unknown_tenant_cannot_be_switched(run):
    assert run("mode", "set", "nowhere", "silent", *WHO).exit_code == 1


def test_a_mode_and_a_kill_switch_are_set_and_taken_back(run):
    assert run("mode", "set", "general-hospital", "silent", "--hook", "order-sign", *WHO).exit_code == 0
    assert run("kill", *WHO).exit_code == 0
    assert run("kill", "--off", *WHO).exit_code == 0
    assert run("kill", "--off", *WHO).exit_code == 1
    assert run("mode", "clear", "general-hospital", "--hook", "order-sign", *WHO).exit_code == 0


def test_outcomes_are_imported_all_or_none_and_exported_beside_the_scores(run, tmp_path):
    from cds_service.records.records import Records

    records = Records(f"sqlite:///{tmp_path}/r.sqlite3", folder=tmp_path, connections=1, counted=lambda *_: None)
    score = {"model": "sort-2014", "version": "1.0.0", "status": "computed", "probability": 0.012}
    row = an_evaluation(models=(score | {"outcome": "30-day-death"},))
    records.write_evaluation(row)
    records.close()
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    good.write_text(f"evaluation_id,outcome,occurred\n{row.id},30-day-death,true\n", encoding="utf-8")
    bad.write_text(good.read_text() + "nowhere,30-day-death,false\n", encoding="utf-8")
    command = ("record", "import-outcomes", "general-hospital")
    told = run(*command, str(bad), "--source", "registry", *WHO)
    assert told.exit_code == 1
    assert "nothing was kept\nline 3, column evaluation_id: this tenant has no such evaluation" in told.output
    assert "1 lines: 1 new, 0 unchanged, 0 corrected" in run(*command, str(good), "--source", "registry", *WHO).output
    assert "1 lines: 0 new, 1 unchanged" in run(*command, str(good), "--source", "registry", *WHO).output
    assert "outcomes imported for tenant=general-hospital new=1" in run("mode", "show").output
    header, line = run("record", "export", "general-hospital", "--form", "scores").stdout.splitlines()
    found = dict(zip(header.split(","), line.split(","), strict=True))
    assert (found["model"], found["probability"], found["occurred"]) == ("sort-2014", "0.012", "1")


def test_the_record_is_exported_as_csv_and_audit_events(run, tmp_path):
    from cds_service.records.records import Records

    records = Records(f"sqlite:///{tmp_path}/r.sqlite3", folder=tmp_path, connections=1, counted=lambda *_: None)
    row = an_evaluation(hook_instance="=cmd()")
    records.write_evaluation(row)
    items = [a_feedback(card=row.cards[0].uuid), a_feedback(card="stranger")]
    records.store_feedback(items, SENDER, received_at=NOON)
    records.close()
    lines = run("record", "export", "general-hospital").stdout.splitlines()
    assert "'=cmd()" in lines[1]
    assert "stranger" in lines[2]
    output = run("record", "export", "general-hospital", "--form", "audit-event").stdout
    event = json.loads(output.splitlines()[0])
    assert (event["resourceType"], event["action"], event["outcome"]) == ("AuditEvent", "E", "0")
    assert run("record", "purge").exit_code == 0


def test_the_retention_job_looks_at_every_tenant_and_says_what_it_did(run, tmp_path):
    from datetime import UTC, datetime, timedelta

    from cds_service.records.records import Records

    records = Records(f"sqlite:///{tmp_path}/r.sqlite3", folder=tmp_path, connections=1, counted=lambda *_: None)
    old = datetime.now(UTC) - timedelta(days=2193)
    records.write_evaluation(an_evaluation(received_at=old))
    records.write_evaluation(an_evaluation(received_at=old, tenant_id="gone"))
    records.used_tokens.first_use("t", "i", "old", expires_at=old.timestamp(), now=old.timestamp())
    records.close()
    told = run("record", "purge").output
    assert "gone (has no file: defaults): 1 evaluations and 0 feedback items deleted, 0 comments redacted" in told
    assert "general-hospital: 1 evaluations" in told
    assert "1 used token ids forgotten" in told
    assert (
        "purge purged for tenant=gone by cds-service record purge: retention: 1 evaluations"
        in run("mode", "show").output
    )
    assert "0 evaluations" in run("record", "purge").output


def test_a_job_that_cannot_do_its_work_fails(run, tmp_path):
    (tmp_path / "tenants" / "tenant.yaml").write_text("id: x\nnonsense: 1\n", encoding="utf-8")
    told = run("record", "purge")
    assert (told.exit_code, "tenant.yaml:2" in told.output) == (1, True)
