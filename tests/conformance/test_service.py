"""C. HTTP methods and status codes, and D. the request envelope."""

import uuid

import pytest

from cds_service.answer import Answer
from tests.acceptance.requests import a_patient, a_request, an_order, bundle
from tests.cds_service.trust.listener import listening
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app


def refused(response, status):
    assert response.status_code == status
    issue = response.json["issue"][0]
    assert response.json["resourceType"] == "OperationOutcome"
    assert issue["severity"] == "error"
    assert issue["code"]
    return issue


def with_server(request, url, **authorization):
    token = {"access_token": "lent", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "s"}
    return request | {"fhirServer": url, "fhirAuthorization": token | authorization}


def test_S_01_S_02_C_01_a_good_call_is_200_with_cards(post):
    response = post(a_request())
    assert response.status_code == 200
    assert len(response.json["cards"]) == 1


@pytest.mark.parametrize("failure", ["no server", "closed port", "401", "403", "500", "slow"])
def test_S_03_S_05_required_data_that_cannot_be_had_are_412_naming_the_key(post, failure):
    request = a_request(patient=...)
    if failure == "no server":
        assert "patient" in refused(post(request), 412)["diagnostics"]
        return
    status = int(failure) if failure.isdigit() else 200

    def answer(_path):
        if failure == "slow":
            import time

            time.sleep(1.2)
        return status, {}, b"{}"

    with listening(answer) as fhir:
        port = 9 if failure == "closed port" else fhir.port
        response = post(with_server(request, f"http://127.0.0.1:{port}/fhir"))
    assert "patient" in refused(response, 412)["diagnostics"]


def test_S_06_supplied_but_empty_is_never_412(post):
    for key in ("conditions", "labs", "observations", "medications", "procedures"):
        for nothing in (None, bundle()):
            assert post(a_request(**{key: nothing})).status_code == 200
    (gap,) = post(a_request(patient=None)).json["cards"]
    assert "not a low one" in gap["detail"]


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_S_07_R_01_R_03_a_missing_or_wrong_envelope_member_is_400(post, member):
    request = a_request()
    del request[member]
    refused(post(request), 400)
    for wrong in (None, 7, [], ""):
        refused(post(a_request() | {member: wrong}), 400)


@pytest.mark.parametrize("body", ["[]", '"x"', "{", "", "null", "NaN", '{"hook": NaN}', "\ud800", "[" * 5000, "{}x"])
def test_S_07_what_is_not_a_request_is_400(http, body):
    data = body.encode("utf-8", "surrogatepass")
    refused(http.post(SERVICE, data=data, content_type="application/json"), 400)


def test_S_08_a_hook_never_offered_is_400_and_one_switched_off_is_silent(post, tmp_path):
    assert "order-select" in refused(post(a_request() | {"hook": "encounter-start"}), 400)["diagnostics"]
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", hooks=["order-sign"])).test_client()
    response = app.post(SERVICE, json=a_request(), headers=a_token())
    assert (response.status_code, response.json) == (200, {"cards": []})


@pytest.mark.parametrize(
    "change",
    [
        {"patientId": None},
        {"patientId": "https://fhir.example.org/Patient/1"},
        {"draftOrders": None},
        {"draftOrders": {"resourceType": "ServiceRequest"}},
        {"selections": None},
    ],
)
def test_S_09_a_context_that_is_invalid_is_422(post, change):
    request = a_request()
    request["context"] = {k: v for k, v in (request["context"] | change).items() if v is not None}
    refused(post(request), 422)


def test_S_10_J_03_J_09_every_401_is_the_same(guarded):
    headers = [{}, a_token(exp=1), a_token(aud="x"), {"Authorization": "Bearer a.b.c"}, a_token(jti="")]
    answers = [guarded.post(SERVICE, json=a_request(), headers=each) for each in headers]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_S_11_J_14_a_tenant_off_the_list_is_403(guarded):
    refused(guarded.post(SERVICE, json=a_request(), headers=a_token(tenant="west")), 403)
    assert guarded.post(SERVICE, json=a_request(), headers=a_token(tenant="east")).status_code == 200


def test_S_12_an_unknown_id_is_404(post):
    refused(post(a_request(), "/cds-services/nope"), 404)
    refused(post({"feedback": []}, "/cds-services/nope/feedback"), 404)


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_S_13_another_method_is_405_naming_post(http, method):
    for path in (SERVICE, f"{SERVICE}/feedback"):
        response = getattr(http, method)(path)
        refused(response, 405)
        assert "POST" in response.headers["Allow"]


def test_S_14_only_json_is_read(http):
    body = a_request() | {"hookInstance": str(uuid.uuid4())}
    for good in ("application/json", "application/json; charset=UTF-8", "application/fhir+json"):
        assert http.post(SERVICE, json=body, content_type=good).status_code == 200
    for bad in ("text/xml", "application/fhir+xml", "text/plain", ""):
        refused(http.post(SERVICE, data=b"<x/>", content_type=bad), 415)


@pytest.mark.parametrize("accept", ["*/*", "application/json", None])
def test_S_15_406_is_not_used(post, accept):
    assert post(a_request(), headers={"Accept": accept} if accept else {}).status_code == 200


def test_S_16_too_many_calls_are_429_and_a_lost_record_is_503(tmp_path):
    folder = a_tenant_file(tmp_path / "tenants", limits={"requests_per_s": 0.01, "burst": 2})
    app = an_app(tmp_path, tenants=folder)
    statuses = [app.test_client().post(SERVICE, json=a_request(), headers=a_token()) for _ in range(3)]
    assert [response.status_code for response in statuses] == [200, 200, 429]
    assert int(statuses[2].headers["Retry-After"]) >= 1
    records = app.extensions["surgical-risk-records"]
    with records.durable.begin() as connection:
        connection.exec_driver_sql("DROP TABLE used_token")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'x'")
        connection.exec_driver_sql("UPDATE schema_reader SET oldest = 'x'")
    lost = app.test_client().post(SERVICE, json=a_request(), headers=a_token())
    refused(lost, 503)
    assert lost.headers["Retry-After"]
    assert app.test_client().get("/ready").status_code == 503
    assert app.test_client().get("/health").status_code == 200


@pytest.mark.parametrize("on_failure", ["error", "empty"])
def test_S_17_S_18_an_unexpected_failure_is_500_with_an_id_and_never_silence(tmp_path, monkeypatch, on_failure):
    def broken(*_args, **_options) -> Answer:
        raise RuntimeError("Patient/pt-b is broken")

    monkeypatch.setattr("cds_service.answering.calls.answer", broken)
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", on_failure=on_failure)).test_client()
    response = app.post(SERVICE, json=a_request(), headers=a_token())
    issue = refused(response, 500)
    assert uuid.UUID(issue["diagnostics"])
    assert not any(word in response.text for word in ("Traceback", "pt-b", "cards", ".py", "Bearer"))


@pytest.mark.parametrize(
    "instance",
    [
        "f399c67c-c703-11ea-af16-460231621f93",
        "7B0C6F1E-5C2A-4F0B-9D0E-3F2F6F0B8A11",
        "f3945c39-dfbe-444f-ba6d-3e05e123b2va",
        "x",
        "i" * 128,
    ],
)
def test_R_02_any_hook_instance_up_to_128_characters_is_accepted(post, instance):
    assert post(a_request() | {"hookInstance": instance}).status_code == 200
    refused(post(a_request() | {"hookInstance": "i" * 129}), 400)


def test_R_04_an_authorization_without_a_server_is_400(post):
    refused(post(a_request() | {"fhirAuthorization": {"access_token": "x"}}), 400)
    assert post(a_request()).status_code == 200


@pytest.mark.parametrize(
    "server", ["http://fhir.example.org/r4", "https://169.254.169.254/", "https://evil.example/r4"]
)
def test_R_05_R_06_an_unusable_server_is_no_server(guarded, server, monkeypatch):
    import socket

    def no_lookup(*_args, **_options):
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", no_lookup)
    enough, lacking = with_server(a_request(), server), with_server(a_request(patient=...), server)
    assert guarded.post(SERVICE, json=enough, headers=a_token()).status_code == 200
    refused(guarded.post(SERVICE, json=lacking, headers=a_token()), 412)


def test_R_07_an_empty_prefetch_is_an_absent_one(post):
    for nothing in ({}, None):
        refused(post(a_request() | {"prefetch": nothing}), 412)


def test_R_08_the_same_request_again_gets_the_same_bytes_and_is_counted_once(guarded_app):
    body = a_request() | {"hookInstance": str(uuid.uuid4())}
    first, again = (guarded_app.test_client().post(SERVICE, json=body, headers=a_token()) for _ in range(2))
    assert first.data == again.data
    records = guarded_app.extensions["surgical-risk-records"]
    records.flush(5)
    with records.durable.connect() as connection:
        statement = "SELECT count(*) FROM evaluation WHERE hook_instance = ?"
        assert connection.exec_driver_sql(statement, (body["hookInstance"],)).scalar() == 1


@pytest.mark.parametrize("extension", [{"com.epic.x": "23"}, {"davinci-crd.configuration": {"a": True}}, {"n": 7}, {}])
def test_R_09_extensions_of_any_kind_are_tolerated(post, extension):
    assert post(a_request() | {"extension": extension}).status_code == 200


def test_R_10_the_response_has_no_other_members(post):
    assert set(post(a_request()).json) <= {"cards", "systemActions", "extension"}


def test_V_04_orders_in_another_fhir_version(post):
    stu3 = an_order() | {"resourceType": "ProcedureRequest"}
    assert len(post(a_request(stu3)).json["cards"]) == 1
    drug = {"resourceType": "MedicationOrder", "id": "m", "patient": {"reference": "Patient/pt-b"}}
    assert post(a_request(drug)).json["cards"] == []


def test_P_10_data_of_another_patient_are_422(post):
    refused(post(a_request(patient=a_patient(id="somebody-else"))), 422)
    refused(post(a_request(an_order(patient="somebody-else"))), 422)
