"""Who may look at a case, for how long, and that it stands in the record."""

import time

import pytest

from cds_service.advice.silence import WORDS
from cds_service.answer import Answer
from cds_service.during import case_access
from cds_service.during.case_access import CaseReader
from cds_service.smart import view
from cds_service.smart.profile import Opened
from cds_service.trust.seal import Seal
from cds_service.web.app import RECORDS
from models_onnx import registry
from tests.cds_service.during.hospitals import (
    SESSION_KEY,
    a_bundle,
    a_tenant_of,
    a_value,
    an_hospital,
    case_id,
    look,
    send,
)
from tests.cds_service.during.test_case_pages import LATER
from tests.conformance.conftest import a_token


def test_nobody_looks_without_a_sign_in_or_a_token(closed):
    for path in ("", f"/{case_id(closed)}"):
        assert look(closed, path, headers={}).status_code == 401


def test_a_browser_that_signed_in_for_a_patient_sees_that_patients_cases_only(closed):
    other = a_value(subject={"reference": "Patient/p2"}, encounter={"reference": "Encounter/e2"})
    send(closed, a_bundle(other))
    cases = {
        one.key.patient_id: one.id for one in closed.extensions[RECORDS].during_cases.of_tenant("general-hospital")
    }
    http = signed_in(closed, "p1")
    assert http.get(f"/during/general-hospital/{cases['p1']}").status_code == 200
    assert http.get(f"/during/general-hospital/{cases['p2']}").status_code == 404
    listed = http.get("/during/general-hospital").text
    assert cases["p1"] in listed
    assert cases["p2"] not in listed


def signed_in(app, patient, user="Practitioner/1", http=None):
    tenant = a_tenant_of(app)
    http = http or app.test_client()
    seal = Seal(SESSION_KEY.encode())
    with app.test_request_context():
        response = app.response_class()
        case_access.remember(response, tenant, CaseReader(tenant.id, patient, user), seal)
    value = response.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    http.set_cookie("open-patient", value, path="/during/general-hospital")
    return http


def test_a_look_is_in_the_record_once_for_a_browser_that_renews_the_page(closed):
    http = signed_in(closed, "p1")
    for _ in range(3):
        http.get(f"/during/general-hospital/{case_id(closed)}", base_url="https://localhost")
    records = closed.extensions[RECORDS]
    records.flush(5)
    with records.durable.connect() as connection:
        rows = connection.exec_driver_sql("SELECT hook, patient_id, user_reference FROM evaluation").all()
    assert rows == [("during-page", "p1", "Practitioner/1")]


def test_a_second_user_of_the_same_browser_is_another_row_within_the_same_minutes(closed):
    http = closed.test_client()
    for user in ("Practitioner/1", "Practitioner/2"):
        signed_in(closed, "p1", user, http)
        for _ in range(2):
            http.get(f"/during/general-hospital/{case_id(closed)}", base_url="https://localhost")
    records = closed.extensions[RECORDS]
    records.flush(5)
    with records.durable.connect() as connection:
        rows = connection.exec_driver_sql("SELECT user_reference FROM evaluation").all()
    assert sorted(user for (user,) in rows) == ["Practitioner/1", "Practitioner/2"]


@pytest.mark.parametrize(("hours", "status"), [(11.9, 200), (12.1, 401)])
def test_renewing_a_page_does_not_renew_a_sign_in_for_ever(closed, monkeypatch, hours, status):
    """Each look within 15 minutes of the last: the cookie that goes on is of the sign-in that began."""
    begun, passed = time.time(), 0.0
    monkeypatch.setattr(time, "time", lambda: begun + passed)
    http = signed_in(closed, "p1")
    path, answer = f"/during/general-hospital/{case_id(closed)}", None
    while passed < hours * 3600:
        passed = min(passed + 800, hours * 3600)
        answer = http.get(path, base_url="https://localhost")
        assert answer.status_code == 200 or passed >= 12 * 3600
    assert answer.status_code == status


def test_a_sign_in_that_says_no_end_is_none(closed):
    tenant, http = a_tenant_of(closed), closed.test_client()
    old = Seal(SESSION_KEY.encode()).close("during-patient", {"tenant_id": tenant.id, "patient_id": "p1"})
    http.set_cookie("open-patient", old, path="/during/general-hospital")
    assert http.get(f"/during/general-hospital/{case_id(closed)}").status_code == 401


def test_a_case_of_another_tenant_or_none_is_not_found(closed):
    assert look(closed, "/d1577c69-dfbe-44ad-ba6d-3e05e953b2ea").status_code == 404
    assert closed.test_client().get(f"/during/other/{case_id(closed)}", headers=a_token()).status_code == 404


@pytest.mark.parametrize(
    ("patient", "mode", "has"), [("p1", "closed-case", True), ("p2", "closed-case", False), ("p1", "off", False)]
)
def test_the_profile_links_to_the_cases_of_its_patient_where_there_are_any(closed, tmp_path, patient, mode, has):
    app = an_hospital(tmp_path, mode, at=LATER)
    site = app.extensions["surgical-risk-tenants"].sites[0]
    by = CaseReader(site.tenant.id, patient, "Practitioner/1")
    assert case_access.has_cases(by, site, app.extensions[RECORDS], LATER) is has
    with app.test_request_context():
        opened = Opened(site=site, answered=Answer(silence="case-open"), models=registry.load())
        page = view.page(opened, cases=case_access.address(site.tenant) if has else "").get_data(as_text=True)
    assert (case_access.address(site.tenant) in page) is has
    assert WORDS["case-open"] in page
