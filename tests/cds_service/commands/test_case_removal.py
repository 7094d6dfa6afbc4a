"""`cds-service record remove-case`: the whole case goes and nothing else, by name, in the service's own record."""

from click.testing import CliRunner
from sqlalchemy import func, select

from cds_service.commands.cli import main
from cds_service.records import tables
from cds_service.records.during_tables import during_arrival, during_case, during_entry
from cds_service.web.app import RECORDS
from tests.cds_service.during.hospitals import a_bundle, a_value, an_hospital, send

WHO = ("--by", "A. Jones", "--reason", "sent for the wrong patient")


def run(folder, *words):
    database = ("--database", f"sqlite:///{folder}/record.sqlite3")
    return CliRunner().invoke(main, ["record", "remove-case", *words, *WHO, *database])


def counts(app):
    with app.extensions[RECORDS].durable.connect() as connection:
        return [
            connection.execute(select(func.count()).select_from(one)).scalar()
            for one in (during_case, during_entry, during_arrival)
        ]


def test_one_case_goes_with_all_it_holds_and_the_event_says_who_and_how_much(tmp_path):
    app = an_hospital(tmp_path)
    send(app, a_bundle(a_value(), a_value(seconds=120), a_value(seconds=180, encounter=None)))
    cases = app.extensions[RECORDS].during_cases.of_tenant("general-hospital")
    (case,) = [one for one in cases if one.key.encounter_id]
    told = run(tmp_path, "general-hospital", case.id, "--force")
    assert told.exit_code == 0, told.output
    assert "removed: 2 entries of 1 senders; cases of the same patient that are left: 1" in told.output
    assert counts(app) == [1, 1, 1]
    with app.extensions[RECORDS].durable.connect() as connection:
        (event,) = connection.execute(select(tables.administration)).all()
    assert (event.action, event.done_by, event.reason) == ("remove-case", *WHO[1::2])
    assert (event.value, case.id in event.scope) == ("removed: 2 entries, 1 senders", True)


def test_a_case_that_is_anothers_or_none_stays_and_the_command_fails(tmp_path):
    app = an_hospital(tmp_path)
    send(app, a_bundle(a_value()))
    (case,) = app.extensions[RECORDS].during_cases.of_tenant("general-hospital")
    for words in (("other", case.id), ("general-hospital", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")):
        told = run(tmp_path, *words, "--force")
        assert (told.exit_code, "nothing was removed" in told.output) == (1, True)
    assert counts(app) == [1, 1, 1]


def test_a_record_that_no_worker_uses_is_refused_without_force(tmp_path):
    told = run(tmp_path, "general-hospital", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")
    assert (told.exit_code, "there is no such file" in told.output) == (1, True)
    an_hospital(tmp_path).extensions[RECORDS].close()
    told = run(tmp_path, "general-hospital", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea")
    assert (told.exit_code, "no worker has used this database lately" in told.output) == (1, True)
