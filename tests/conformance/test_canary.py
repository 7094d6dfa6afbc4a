"""A patient made of marker strings and a marker token go through every path; only the agreed columns may hold any."""

import json
import uuid

import sqlalchemy

from cds_service.records import tables
from tests.acceptance.requests import a_patient, a_request, a_result, an_order, bundle
from tests.cds_service.operations.collector import collecting
from tests.cds_service.trust.listener import listening
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token
from tests.conformance.test_service import with_server

NAME, MRN, TOKEN, COMMENT, PATIENT, USER, TEXT = (
    f"canary{word}7q" for word in ("name", "mrn", "token", "comment", "patient", "user", "text")
)
MARKERS = (NAME, MRN, TOKEN, COMMENT, PATIENT, USER, TEXT)
# docs/security.md, "What is kept": the columns that may hold what identifies a patient or what a clinician wrote.
AGREED = {
    ("evaluation", "patient_id"): {PATIENT},
    ("evaluation", "user_reference"): {USER},
    ("evaluation", "encounter_id"): set(),
    ("evaluation", "order_reference"): set(),
    ("evaluation", "hook_instance"): set(),
    ("evaluation", "result"): {PATIENT},  # references to the resources used, such as Patient/<id>
    ("feedback", "comment"): {COMMENT},
    ("feedback", "reason_display"): {COMMENT},
}


def a_canary(**prefetch):
    subject = {"subject": {"reference": f"Patient/{PATIENT}"}}
    order = an_order(patient=PATIENT)
    order["code"]["text"] = TEXT
    labs = bundle(a_result("2160-0", 1.9, "mg/dL") | subject | {"note": [{"text": TEXT}]})
    person = a_patient(id=PATIENT, name=[{"family": NAME}], identifier=[{"value": MRN}])
    request = a_request(order, **{"patient": person, "labs": labs, "observations": bundle()} | prefetch)
    request["context"] |= {"patientId": PATIENT, "userId": f"Practitioner/{USER}"}
    return request | {"hookInstance": str(uuid.uuid4())}


def every_path(app, fhir):
    """Responses to good, silent, failing and malformed calls, all of them full of markers."""
    http = app.test_client()
    good = a_canary()
    server = with_server(a_canary(patient=...), fhir.url(f"/{TOKEN}"), access_token=TOKEN)
    wrong = a_canary(patient=a_patient(id=f"{PATIENT}-other", name=[{"family": NAME}]))
    invalid = {**a_canary(), "context": {"patientId": f"https://{PATIENT}", "userId": USER}}
    unknown = a_canary()
    code = {"system": f"urn:codes?{MRN}", "code": f"{NAME} {MRN}", "display": TEXT}
    unknown["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"text": TEXT, "coding": [code]}
    for body in (good, good, unknown, server, wrong, invalid, {"hook": NAME}, {**a_canary(), "hook": NAME}):
        yield http.post(SERVICE, json=body, headers=a_token())
        yield http.post(SERVICE, json=body)
    yield http.post(SERVICE, data=f'{{"hook": "{NAME}', content_type="application/json", headers=a_token())
    yield http.post(f"/cds-services/{NAME}?q={MRN}", json=good, headers=a_token())
    item = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:05:31Z"}
    told = {"feedback": [item | {"overrideReason": {"userComment": COMMENT}}, {"card": COMMENT * 20}]}
    yield http.post(f"{SERVICE}/feedback", json=told, headers=a_token())
    yield http.post(f"{SERVICE}/feedback", json={"feedback": [{"card": COMMENT}]}, headers=a_token())
    words = {"code": f"{COMMENT} {NAME}", "system": f"urn:why?{MRN}", "display": COMMENT}
    in_words = item | {"card": str(uuid.uuid4()), "overrideReason": {"reason": words}}
    yield http.post(f"{SERVICE}/feedback", json={"feedback": [in_words]}, headers=a_token())


def test_F_04_J_18_S_17_no_marker_leaves_the_agreed_columns(tmp_path, capfd, monkeypatch):
    folder = a_tenant_file(tmp_path / "tenants")
    with (
        collecting(monkeypatch, tmp_path, tenants=folder) as collected,
        listening(lambda _: (500, {}, TEXT.encode())) as fhir,
    ):
        app = collected.app
        responses = list(every_path(app, fhir))
        monkeypatch.setattr("cds_service.answering.calls.answer", _broken)
        responses.append(app.test_client().post(SERVICE, json=a_canary(), headers=a_token()))
        traces = collected.exported()
    assert traces.count(b"http.route") == len(responses)
    assert not _markers(traces.decode(errors="replace"))
    assert {400, 401, 412, 422, 404, 500, 200} <= {response.status_code for response in responses}
    for response in responses:
        if response.status_code != 200:
            assert not _markers(response.text), response.status_code
    records = app.extensions["surgical-risk-records"]
    assert records.flush(5)
    metrics = app.test_client().get("/metrics").text
    assert not _markers(metrics)
    assert not _markers("".join(capfd.readouterr()))
    assert not _markers(app.test_client().get("/health").text + app.test_client().get("/ready").text)
    _only_agreed_columns(records)


def _broken(*_args, **_options):
    raise RuntimeError(f"{NAME} {TOKEN} {PATIENT}")


def _only_agreed_columns(records):
    with records.durable.connect() as connection:
        for table in tables.metadata.tables.values():
            for row in connection.execute(sqlalchemy.select(table)).mappings():
                for column, value in row.items():
                    found = _markers(json.dumps(value, default=str))
                    assert found <= AGREED.get((table.name, column), set()), (table.name, column)


def _markers(text):
    return {marker for marker in MARKERS if marker in text}
