"""`/during/{tenant}/{case}/summary`: a closed case as Observations, for who may look, and that it was read is a row."""

from datetime import timedelta

import pytest
from fhir.resources.R4B.bundle import Bundle

from cds_service.web.app import RECORDS
from tests.cds_service.during.hospitals import a_bundle, a_value, an_hospital, an_hour, case_id, look, send
from tests.cds_service.during.test_case_access import signed_in
from tests.cds_service.during.test_case_pages import LATER
from tests.fhir_mappings.during.observed import BEGIN, UCUM, at


def with_a_score(app):
    loss = a_value("81661-1", 120, 3500, valueQuantity={"value": 120, "code": "mL", "system": UCUM})
    loss["effectivePeriod"] = {"start": at(0), "end": at(3500)}
    del loss["effectiveDateTime"]
    send(app, a_bundle(loss, {"resourceType": "Patient", "id": "p1", "birthDate": "1957-03-02"}))


def codes(answer):
    return [one["resource"]["code"]["coding"][0]["code"] for one in answer.json["entry"]]


def test_a_closed_case_is_a_valid_bundle_of_what_could_be_told(closed):
    assert codes(look(closed, f"/{case_id(closed)}/summary")) == ["map-below-65"]
    with_a_score(closed)
    answer = look(closed, f"/{case_id(closed)}/summary")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("application/fhir+json", "no-store")
    assert codes(answer) == ["map-below-65", "surgical-apgar"]
    score = answer.json["entry"][1]["resource"]
    assert (score["valueInteger"], score["encounter"]["reference"]) == (6, "Encounter/e1")
    assert {one["resourceType"] for one in score["contained"]} == {"Device", "Provenance"}
    Bundle.model_validate(answer.json)


@pytest.mark.parametrize(
    ("mode", "ended", "status"),
    [("closed-case", False, 403), ("live", False, 403), ("closed-case", True, 200), ("live", True, 200)],
)
def test_before_the_recorded_end_there_is_none(tmp_path, mode, ended, status):
    app = an_hospital(tmp_path, mode, at=LATER if ended else BEGIN + timedelta(minutes=59))
    send(app, an_hour(ended=ended))
    answer = look(app, f"/{case_id(app)}/summary")
    assert answer.status_code == status
    assert "55" not in answer.text or status == 200


def test_it_is_for_who_may_look_and_a_row_says_that_it_was_read(closed):
    path = f"/{case_id(closed)}/summary"
    assert look(closed, path, headers={}).status_code == 401
    assert signed_in(closed, "p2").get(f"/during/general-hospital{path}").status_code == 404
    assert signed_in(closed, "p1").get(f"/during/general-hospital{path}").status_code == 200
    records = closed.extensions[RECORDS]
    records.flush(5)
    with records.durable.connect() as connection:
        rows = connection.exec_driver_sql("SELECT hook, patient_id, user_reference FROM evaluation").all()
    assert rows == [("during-page", "p1", "Practitioner/1")]


@pytest.mark.parametrize("members", [{"mode": "silent"}, {"retired_on": "2026-11-01"}, {"during": {"mode": "off"}}])
def test_where_nothing_may_be_shown_there_is_nothing(closed, tmp_path, members):
    case = case_id(closed)
    reads = members.pop("during", {}).get("mode", "closed-case")
    assert look(an_hospital(tmp_path, reads, at=LATER, **members), f"/{case}/summary").status_code == 404
