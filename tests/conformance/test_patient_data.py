"""E. FHIR access and F. prefetch, P-01 to P-12: what was sent is used, what was left out is fetched, with the token."""

import json
import time
from urllib.parse import urlsplit

import pytest

from tests.acceptance.requests import a_condition, a_patient, a_request, a_result, an_asa_class, bundle
from tests.cds_service.trust import unhelpful
from tests.cds_service.trust.listener import listening
from tests.conformance.conftest import SERVICE, an_app
from tests.conformance.test_service import refused, with_server
from tests.patience import in_a_quiet_moment

DATA = {
    "Condition": bundle(),
    "Observation": bundle(a_result("2160-0", 1.1, "mg/dL"), an_asa_class()),
    "MedicationRequest": bundle(),
    "MedicationStatement": bundle(),
    "Procedure": bundle(),
    "Encounter": bundle(),
}


def a_server(path: str, **changes: object):
    """A FHIR server of one patient; `changes` by resource type replace the body, or the status if a number."""
    kind = urlsplit(path).path.removeprefix("/fhir/").partition("/")[0]
    value = changes.get(kind, a_patient() if kind == "Patient" else DATA.get(kind, bundle()))
    if isinstance(value, int):
        return value, {}, b"{}"
    return 200, {"Content-Type": "application/fhir+json"}, json.dumps(value).encode()


def serving(**changes):
    return listening(lambda path: a_server(path, **changes))


def bare(**keys):
    names = ("patient", "conditions", "labs", "observations", "medications", "procedures")
    return a_request(**(dict.fromkeys(names, ...) | keys))


def told(response):
    assert response.status_code == 200
    return response.json["cards"][0]["extension"]["io.surgical-risk.assessment"]


def test_F_05_F_07_P_02_prefetch_server_and_half_of_each_give_the_same_probabilities(post):
    with serving() as fhir:
        requests = [
            a_request(),
            with_server(bare(), fhir.url("/fhir")),
            with_server(a_request(labs=...), fhir.url("/fhir")),
        ]
        answers = [[p.get("probability") for p in told(post(request))["predictions"]] for request in requests]
        assert {headers["Authorization"] for _, headers in fhir.requests} == {"Bearer lent"}
    assert answers[0] == answers[1] == answers[2]


def test_P_01_only_the_key_left_out_is_asked_for(post):
    with serving() as fhir:
        told(post(with_server(a_request(conditions=...), fhir.url("/fhir"))))
        kinds = {path.partition("?")[0] for path, _ in fhir.requests}
    assert "/fhir/Condition" in kinds
    assert not kinds & {"/fhir/Patient", "/fhir/Observation", "/fhir/Procedure"}


def test_P_03_P_06_a_null_or_empty_key_is_not_asked_for_again(post):
    for nothing in (None, bundle(), {"resourceType": "Bundle", "type": "searchset"}):
        with serving() as fhir:
            told(post(with_server(a_request(conditions=nothing), fhir.url("/fhir"))))
            assert not any("/Condition" in path for path, _ in fhir.requests)


def test_P_04_an_error_is_a_failed_key_and_not_asked_for_again(post):
    error = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    with serving() as fhir:
        result = told(post(with_server(a_request(conditions=error), fhir.url("/fhir"))))
        assert not any("/Condition" in path for path, _ in fhir.requests)
    statuses = {item["name"]: item["status"] for item in result["inputs"]}
    assert statuses["diabetes"] == "missing"


def test_P_05_epics_empty_search_is_none_and_no_error(post):
    warning = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-found"}]}
    epic = bundle(warning) | {"total": 0}
    epic["entry"][0]["search"] = {"mode": "outcome"}
    statuses = {item["name"]: item for item in told(post(a_request(conditions=epic)))["inputs"]}
    assert (statuses["copd"]["status"], statuses["copd"]["value"]) == ("used", False)


def test_P_07_F_10_a_second_page_is_read(post):
    first = bundle(a_condition("I10")) | {"link": []}
    with serving() as fhir:
        first["link"] = [{"relation": "next", "url": fhir.url("/fhir/Condition?page=2")}]
        fhir.answer = lambda path: a_server(path, Condition=bundle(a_condition("J44.9")) if "page=2" in path else first)
        names = {
            item["name"]: item
            for item in told(post(with_server(a_request(conditions=...), fhir.url("/fhir"))))["inputs"]
        }
    assert names["copd"]["value"] is True


def test_P_07_a_page_elsewhere_is_not_read_and_no_token_goes_there(post):
    with serving() as elsewhere, serving() as fhir:
        page = bundle() | {"link": [{"relation": "next", "url": elsewhere.url("/fhir/Condition?page=2")}]}
        fhir.answer = lambda path: a_server(path, Condition=page)
        assert post(with_server(a_request(conditions=...), fhir.url("/fhir"))).status_code == 200
        assert elsewhere.connections == 0


def test_P_08_P_11_P_12_keys_that_nobody_asked_for_are_ignored(post):
    request = a_request()
    request["prefetch"] |= {"foo": {"resourceType": "Coverage"}, "user": {"resourceType": "Practitioner", "id": "x"}}
    assert len(post(request).json["cards"]) == 1


def test_P_09_other_resources_in_a_bundle_are_ignored(post):
    mixed = bundle(a_condition("J44.9"), {"resourceType": "Practitioner", "id": "x"}, {"resourceType": "Provenance"})
    assert told(post(a_request(conditions=mixed)))


@pytest.mark.parametrize("missing", ["access_token", "token_type", "expires_in", "scope", "subject"])
def test_F_01_an_incomplete_authorization_never_fails(post, missing):
    with serving() as fhir:
        request = with_server(a_request(), fhir.url("/fhir"))
        del request["fhirAuthorization"][missing]
        assert post(request).status_code == 200


def test_F_02_the_token_type_is_read_in_any_case_and_another_is_not_used(post):
    with serving() as fhir:
        told(post(with_server(a_request(conditions=...), fhir.url("/fhir"), token_type="bearer")))
        seen = len(fhir.requests)
        post(with_server(a_request(conditions=...), fhir.url("/fhir"), token_type="mac"))
        assert len(fhir.requests) == seen


def test_F_03_a_token_of_another_patient_is_422_and_nothing_is_fetched(post):
    with serving() as fhir:
        refused(post(with_server(a_request(conditions=...), fhir.url("/fhir"), patient="somebody-else")), 422)
        assert fhir.connections == 0


def test_F_06_an_open_server_is_asked_in_demo_only(post, guarded):
    with serving() as fhir:
        assert told(post(bare() | {"fhirServer": fhir.url("/fhir")}))
        assert fhir.requests


@pytest.mark.parametrize("scope", ["user/Patient.rs", "user/Patient.read", "Patient.Read (R4)", "", None])
def test_F_08_scopes_are_not_parsed(post, scope):
    with serving() as fhir:
        assert told(post(with_server(bare(), fhir.url("/fhir"), scope=scope)))


def test_F_09_an_expired_token_is_not_used_and_nothing_is_asked_after_the_answer(post):
    with serving() as fhir:
        refused(post(with_server(bare(), fhir.url("/fhir"), expires_in=0)), 412)
        assert fhir.connections == 0
        told(post(with_server(bare(), fhir.url("/fhir"))))
        seen = len(fhir.requests)
        time.sleep(0.2)
        assert len(fhir.requests) == seen


@pytest.mark.usefixtures("in_time")
def test_F_11_N_02_one_slow_search_does_not_stretch_the_answer(tmp_path):
    def check(folder):
        http = an_app(folder, demo=True).test_client()
        with unhelpful.serving(unhelpful.hang) as base:
            started = time.monotonic()
            response = http.post(SERVICE, json=with_server(a_request(conditions=...), f"{base}/fhir"))
            assert time.monotonic() - started < 2.0
        assert response.status_code == 200

    in_a_quiet_moment(check, tmp_path)


def test_F_12_one_resource_type_denied_is_a_gap_and_not_a_failure(post):
    with serving(Condition=403) as fhir:
        inputs = {item["name"]: item["status"] for item in told(post(with_server(bare(), fhir.url("/fhir"))))["inputs"]}
    assert inputs["copd"] == "missing"
