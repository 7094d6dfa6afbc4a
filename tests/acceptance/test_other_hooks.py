"""appointment-book and patient-view: for tenants that opt in, each with its own context and prefetch (R-D01, R-D03)."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from cds_service.chart_orders import TEMPLATE
from cds_service.demo.search import search
from tests.acceptance.requests import CPT, a_patient, a_request, an_order, bundle
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.listener import listening
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app
from tests.patience import in_a_quiet_moment

EMPTY = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'


def a_view(*orders, **members):
    """patient-view with every prefetch key; without orders given the key `orders` is left out."""
    request = a_request() | {"hook": "patient-view", "hookInstance": str(uuid.uuid4())}
    request["context"] = {"userId": "Practitioner/surgeon", "patientId": "pt-b"} | members
    del request["prefetch"]["orders"]
    if orders:
        request["prefetch"]["orders"] = bundle(*orders)
    return request


def an_active_order(**members):
    return an_order(status="active", **members)


def a_booking(appointments, **members):
    request = a_request() | {"hook": "appointment-book", "hookInstance": str(uuid.uuid4())}
    request["context"] = {"userId": "Practitioner/surgeon", "patientId": "pt-b", "appointments": appointments} | members
    return request


def an_appointment(patient="pt-b", **members):
    return {
        "resourceType": "Appointment",
        "id": "booked",
        "status": "proposed",
        "serviceType": [{"coding": [{"system": CPT, "code": "22633"}]}],
        "participant": [{"actor": {"reference": f"Patient/{patient}"}, "status": "needs-action"}],
    } | members


def with_server(request, url):
    return request | {"fhirServer": url, "fhirAuthorization": {"access_token": "lent", "token_type": "Bearer"}}


def day(offset):
    return (datetime.now(UTC) + timedelta(days=offset)).strftime("%Y-%m-%d")


def summary(response):
    assert response.status_code == 200, response.text
    return [card["summary"] for card in response.json["cards"]]


def why(response):
    assert summary(response) == []
    return response.json["extension"]["io.surgical-risk.silence"]["reason"]


def test_an_appointment_gets_the_card_of_an_order_be_it_in_a_bundle_or_in_an_array(post):
    in_array, in_bundle = post(a_booking([an_appointment()])), post(a_booking(bundle(an_appointment())))
    assert summary(in_array) == summary(in_bundle) == summary(post(a_request()))
    assert "spinal fusion" in summary(in_array)[0]


def test_the_reason_of_an_appointment_may_name_the_operation(post):
    concept = an_appointment()["serviceType"]
    assert summary(post(a_booking([an_appointment(serviceType=[], reasonCode=concept)])))


@pytest.mark.parametrize("user", ["Patient/pt-b", "RelatedPerson/wife"])
def test_a_patient_who_books_is_told_nothing(post, user):
    assert why(post(a_booking([an_appointment()], userId=user))) == "non-clinician"
    assert why(post(a_view(an_active_order(), userId=user))) == "non-clinician"


@pytest.mark.parametrize("appointments", [None, "x", {}, {"resourceType": "Appointment"}])
def test_a_booking_without_appointments_is_422(post, appointments):
    assert post(a_booking(appointments)).status_code == 422


def test_an_appointment_of_another_patient_is_422(post):
    response = post(a_booking([an_appointment(patient="somebody-else")]))
    assert (response.status_code, response.json["issue"][0]["diagnostics"]) == (422, "appointments")


def test_nothing_surgical_booked_is_silence(post):
    assert why(post(a_booking([]))) == "not-surgical"
    assert why(post(a_booking(bundle()))) == "not-surgical"


def test_an_open_order_of_the_chart_gets_the_card_of_a_draft(post):
    assert summary(post(a_view(an_active_order()))) == summary(post(a_request()))


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "completed", "revoked"])
def test_an_operation_saved_in_the_chart_is_found_whatever_its_open_status(post, status):
    """Sandboxes save drafts: not to search for them told "none of the orders is an operation"."""
    asked = parse_qs(TEMPLATE.replace("{{context.patientId}}", "pt-b").partition("?")[2])
    found = search([an_order(status=status)], asked)
    view = a_view()
    view["prefetch"]["orders"] = bundle(*found)
    assert bool(summary(post(view))) is (status in ("draft", "active", "on-hold"))


@pytest.mark.parametrize("nothing", [None, bundle()])
def test_a_chart_without_open_orders_is_silence_and_not_412(post, nothing):
    request = a_view()
    request["prefetch"]["orders"] = nothing
    assert why(post(request)) == "not-surgical"


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ({"occurrenceDateTime": day(-2)}, "not-surgical"),
        ({"authoredOn": day(-400)}, "not-surgical"),
        ({"authoredOn": day(-400), "occurrenceDateTime": day(20)}, None),
        ({"authoredOn": day(-300)}, None),
        ({"occurrenceDateTime": day(20)}, None),
        ({"occurrenceDateTime": day(0)}, "not-elective"),
    ],
)
def test_an_operation_whose_day_is_over_and_a_forgotten_order_are_not_planned(post, order, told):
    response = post(a_view(an_active_order(**order)))
    assert summary(response) if told is None else why(response) == told


def test_open_orders_that_cannot_be_had_are_412_naming_the_key(post):
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    absent, broken = a_view(), a_view()
    broken["prefetch"]["orders"] = failed
    for request in (absent, broken):
        response = post(request)
        assert response.status_code == 412
        assert "'orders'" in response.json["issue"][0]["diagnostics"]


def test_orders_left_out_are_asked_for_first_and_without_an_operation_nothing_else_is(post):
    with listening(lambda _: (200, {"Content-Type": "application/fhir+json"}, EMPTY)) as fhir:
        request = with_server(a_view(), fhir.url("/fhir")) | {"prefetch": {}}
        assert why(post(request)) == "not-surgical"
        asked = "/fhir/ServiceRequest?patient=pt-b&status=draft,active,on-hold&_count=100"
        assert [path for path, _ in fhir.requests] == [asked]


def test_orders_fetched_get_the_same_card_and_are_asked_for_once(post):
    orders = json.dumps(bundle(an_active_order())).encode()
    with listening(lambda _: (200, {"Content-Type": "application/fhir+json"}, orders)) as fhir:
        request = with_server(a_view(), fhir.url("/fhir"))
        assert summary(post(request)) == summary(post(a_request()))
        assert [path.partition("?")[0] for path, _ in fhir.requests] == ["/fhir/ServiceRequest"]


def test_another_patients_order_is_422_where_it_was_sent_and_412_where_it_was_fetched(post):
    foreign = an_active_order(patient="somebody-else")
    assert post(a_view(foreign)).status_code == 422
    with listening(lambda _: (200, {}, json.dumps(bundle(foreign)).encode())) as fhir:
        assert post(with_server(a_view(), fhir.url("/fhir"))).status_code == 412


@pytest.mark.usefixtures("in_time")
def test_a_chart_that_does_not_answer_is_412_within_the_budget(tmp_path):
    def check(folder):
        http = an_app(folder, demo=True).test_client()
        with unhelpful.serving(unhelpful.hang) as base:
            began = time.monotonic()
            assert http.post(SERVICE, json=with_server(a_view(), f"{base}/fhir")).status_code == 412
            assert time.monotonic() - began < 1.8

    in_a_quiet_moment(check, tmp_path)


def test_a_tenant_that_did_not_opt_in_is_never_called_for_these_hooks(tmp_path):
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants")).test_client()
    for request in (a_view(an_active_order()), a_booking([an_appointment()])):
        response = app.post(SERVICE, json=request, headers=a_token())
        assert response.status_code == 400
        assert request["hook"] not in response.json["issue"][0]["diagnostics"]
    assert hooks(app) == hooks(app, a_token("/cds-services")) == {"order-select", "order-sign"}


def test_a_tenant_that_opts_in_is_listed_and_answered_and_can_switch_each_hook_off(tmp_path):
    listed = ["order-select", "appointment-book", "patient-view"]
    rules = [{"hook": "appointment-book", "mode": "off"}]
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", hooks=listed, modes=rules)).test_client()
    assert hooks(app, a_token("/cds-services")) == set(listed)
    assert hooks(app) == {"order-select", "order-sign"}, "the open list is the same for everybody (DEC-05)"
    assert summary(app.post(SERVICE, json=a_view(an_active_order()), headers=a_token()))
    assert app.post(SERVICE, json=a_booking([an_appointment()]), headers=a_token()).json == {"cards": []}


def test_patient_view_asks_for_the_open_orders_besides(http):
    services = {service["hook"]: service["prefetch"] for service in http.get("/cds-services").json["services"]}
    assert set(services) == {"order-select", "order-sign", "appointment-book", "patient-view"}
    assert services["order-select"] == services["order-sign"] == services["patient-view"], "all may be of the chart"
    assert set(services["appointment-book"]) - {"reports"} == set(services["order-select"]) - {"orders"}
    asked = "ServiceRequest?patient={{context.patientId}}&status=draft,active,on-hold&_count=100"
    assert services["patient-view"]["orders"] == asked
    assert len(services["patient-view"]) <= 8


def test_the_patient_is_needed_at_these_hooks_too(post):
    view = a_view(an_active_order())
    view["prefetch"]["patient"] = a_patient(id="somebody-else")
    assert post(view).status_code == 422
    del view["prefetch"]["patient"]
    assert post(view | {"hookInstance": "other"}).status_code == 412


def hooks(app, headers=None):
    return {service["hook"] for service in app.get("/cds-services", headers=headers).json["services"]}
