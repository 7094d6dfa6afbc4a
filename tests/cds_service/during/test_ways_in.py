"""A Bundle of what was recorded: let in by mode and token, of one patient, within bounds, in any order."""

import random

import msgspec
import pytest

from cds_service.web.app import RECORDS
from fhir_mappings.during.assembling import course_of
from fhir_mappings.during.course import CaseTimes, CourseEntry
from tests.cds_service.during.hospitals import (
    CLEARED,
    POSTED,
    a_bundle,
    a_value,
    an_hospital,
    an_hour,
    an_operation,
    send,
)
from tests.conformance.conftest import a_token
from tests.fhir_mappings.during.observed import ZERO


@pytest.fixture
def hospital(tmp_path):
    return an_hospital(tmp_path)


def cases(app):
    return app.extensions[RECORDS].during_cases


def course(app, tenant="general-hospital"):
    (case,) = [one for one in cases(app).of_tenant(tenant) if one.key.encounter_id]
    entries = [msgspec.json.decode(body, type=CourseEntry) for body in cases(app).content(case).observations]
    return course_of(entries, CaseTimes(ZERO, ZERO + 3600, ended=True), ZERO + 7200)


@pytest.mark.parametrize(
    ("mode", "status"),
    [("off", 404), ("closed-case", 200), ("live", 200)],
)
def test_the_mode_says_whether_anything_comes_in(tmp_path, mode, status):
    app = an_hospital(tmp_path, mode)
    answer = send(app, a_bundle(a_value()))
    assert answer.status_code == status
    assert len(cases(app).of_tenant("general-hospital")) == (status == 200)


@pytest.mark.parametrize("mode", ["closed-case", "live"])
def test_a_production_tenant_does_not_start_with_a_mode_and_is_told_the_line(tmp_path, mode):
    with pytest.raises(Exception, match=r"tenant\.yaml:\d+.*not yet for production.*reviewed by clinicians first"):
        an_hospital(tmp_path, mode, environment="production", during={"device_cleared": CLEARED})
    assert an_hospital(tmp_path, "off", environment="production")


def test_a_tenant_that_reads_nothing_answers_as_one_that_is_not_there(tmp_path):
    app = an_hospital(tmp_path, "off")
    http = app.test_client()
    answers = [http.post(f"/during/{name}/observations", json={}) for name in ("general-hospital", "nobody")]
    assert answers[0].status_code == answers[1].status_code == 404
    assert answers[0].data == answers[1].data


def test_an_hour_is_kept_and_told_in_numbers(hospital):
    assert send(hospital, an_hour()).json == {
        "kept": 121, "repeated": 0, "refused": 0, "notOfACourse": 0, "unfiled": {},
    }  # fmt: skip
    assert send(hospital, an_hour()).json["repeated"] == 121
    assert {len(trace.samples) for trace in course(hospital).traces} == {60}


@pytest.mark.parametrize("seed", range(4))
def test_any_order_any_repetition_and_any_parcels_give_the_same_course(tmp_path, seed):
    drawn = random.Random(seed)
    versions = [
        a_value(value=60 + minute + 5 * version, seconds=60.0 * minute, meta={"versionId": str(version + 1)})
        for minute in range(20)
        for version in range(3)
    ]
    versions += [
        a_value(seconds=60.0 * minute, status="entered-in-error", meta={"versionId": "9"}) for minute in (3, 7)
    ]
    found = []
    for name in ("in-order", "shuffled"):
        (tmp_path / name).mkdir()
        app = an_hospital(tmp_path / name)
        sent = versions if name == "in-order" else drawn.sample(versions, len(versions)) + drawn.choices(versions, k=20)
        while sent:
            count = drawn.randint(1, 25)
            some, sent = sent[:count], sent[count:]
            assert send(app, a_bundle(*some)).status_code == 200
        found.append(course(app))
    assert found[0] == found[1]
    (trace,) = found[0].traces
    assert [sample.value for sample in trace.samples] == [70 + minute for minute in range(20) if minute not in (3, 7)]


def test_a_correction_that_speaks_of_something_else_takes_the_first_value_back(hospital):
    send(hospital, a_bundle(a_value(seconds=60)))
    other = a_value(seconds=60, code={"coding": [{"system": "http://loinc.org", "code": "2160-0"}]})
    send(hospital, a_bundle(other | {"id": a_value(seconds=60)["id"], "meta": {"versionId": "2"}}))
    assert course(hospital).traces == ()


def test_what_is_of_no_course_is_counted_and_not_kept(hospital):
    creatinine = a_value(code={"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}) | {"id": "lab"}
    creatinine["code"] = {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}
    answer = send(hospital, a_bundle(creatinine, {"resourceType": "Device", "id": "d"}, a_value()))
    assert answer.json == {"kept": 1, "repeated": 0, "refused": 0, "notOfACourse": 1, "unfiled": {"other-type": 1}}


def test_two_patients_in_one_bundle_are_refused_and_nothing_is_kept(hospital):
    other = a_value(seconds=120, subject={"reference": "Patient/p2"}, encounter={"reference": "Encounter/e2"})
    assert send(hospital, a_bundle(a_value(), other)).status_code == 422
    assert not cases(hospital).of_tenant("general-hospital")


def test_an_encounter_known_as_anothers_is_refused(hospital):
    send(hospital, a_bundle(a_value()))
    assert send(hospital, a_bundle(a_value(subject={"reference": "Patient/p2"}))).status_code == 422
    assert [one.key.patient_id for one in cases(hospital).of_tenant("general-hospital")] == ["p1"]


@pytest.mark.parametrize("why", ["another's encounter", "no room for another case"])
def test_of_a_bundle_of_two_encounters_all_is_kept_or_nothing(tmp_path, why):
    app = an_hospital(tmp_path, during={"most_cases": 1} if why.startswith("no room") else {})
    if not why.startswith("no room"):
        send(app, a_bundle(a_value(subject={"reference": "Patient/p2"}, encounter={"reference": "Encounter/e2"})))
    before = [(one.key, one.entries) for one in cases(app).of_tenant("general-hospital")]
    both = a_bundle(a_value(), a_value(seconds=120, encounter={"reference": "Encounter/e2"}))
    assert send(app, both).status_code == (503 if why.startswith("no room") else 422)
    assert [(one.key, one.entries) for one in cases(app).of_tenant("general-hospital")] == before
    roomy = an_hospital(tmp_path / "roomy")
    assert send(roomy, both).json["kept"] == 2
    assert {one.key.encounter_id for one in cases(roomy).of_tenant("general-hospital")} == {"e1", "e2"}


def test_a_full_case_says_how_much_it_refused(tmp_path):
    app = an_hospital(tmp_path, during={"most_entries": 3})
    answer = send(app, a_bundle(*(a_value(seconds=number) for number in range(5))))
    assert (answer.json["kept"], answer.json["refused"]) == (3, 2)


def test_without_a_token_or_with_one_for_another_address_nothing_is_read(hospital):
    http = hospital.test_client()
    assert http.post(POSTED, json=a_bundle(a_value())).status_code == 401
    elsewhere = a_token("/during/other/observations")
    assert http.post(POSTED, json=a_bundle(a_value()), headers=elsewhere).status_code == 401
    assert not cases(hospital).of_tenant("general-hospital")


@pytest.mark.parametrize(
    ("body", "status"),
    [("{}", 400), ("[", 400), ('{"resourceType":"Observation"}', 400), ("", 400)],
)
def test_what_is_no_bundle_is_refused(hospital, body, status):
    headers = a_token(POSTED) | {"Content-Type": "application/fhir+json"}
    assert hospital.test_client().post(POSTED, data=body, headers=headers).status_code == status


def test_the_limits_of_a_body_hold_here_too(tmp_path):
    app = an_hospital(tmp_path, limits={"body_bytes": 500})
    assert send(app, an_hour()).status_code == 413


def test_a_token_of_a_service_call_sends_too_as_its_client_is_the_same(hospital):
    assert hospital.test_client().post(POSTED, json=a_bundle(an_operation()), headers=a_token()).status_code == 200
