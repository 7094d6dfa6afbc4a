"""The estimate of before beside the closed case it belongs to: never of another operation, never what was withheld."""

import uuid
from datetime import timedelta

import pytest

from cds_service.during import earlier_estimate
from cds_service.during.case_words import RATES_OF
from cds_service.records.database import DatabaseError
from cds_service.web.app import RECORDS
from models_onnx import after_operation, registry
from tests.acceptance.requests import a_patient, a_request, an_order
from tests.cds_service.during.hospitals import (
    a_bundle,
    a_value,
    an_hospital,
    an_hour,
    an_operation,
    case_id,
    look,
    send,
)
from tests.cds_service.during.test_case_pages import LATER, words_of
from tests.conformance.conftest import SERVICE, a_token
from tests.fhir_mappings.during.observed import BEGIN, UCUM, at

NONE = "No estimate on record belongs to this operation by patient and day."


def ordered(folder, *, before, order=None, **members):
    """A call about p1 so long before the case; the card's first figure."""
    moment = BEGIN - before
    app = an_hospital(folder, at=moment, **members)
    request = a_request(order or an_order(), patient=a_patient(66, id="p1")) | {"hookInstance": str(uuid.uuid4())}
    request["context"]["patientId"] = "p1"
    for one in request["context"]["draftOrders"]["entry"]:
        one["resource"]["subject"] = {"reference": "Patient/p1"}
    for key, value in request["prefetch"].items():
        for entry in (value or {}).get("entry", ()) if key != "patient" else ():
            if "subject" in entry["resource"]:
                entry["resource"]["subject"] = {"reference": "Patient/p1"}
    headers = a_token(iat=moment.timestamp(), exp=moment.timestamp() + 300)
    answer = app.test_client().post(SERVICE, json=request, headers=headers)
    assert answer.status_code == 200, answer.text
    assert app.extensions[RECORDS].flush(5)
    return answer


def told(folder, **members):
    app = an_hospital(folder, at=LATER, **members)
    send(app, an_hour())
    return words_of(look(app, f"/{case_id(app)}"))


def test_what_was_estimated_stands_beside_the_case_it_belongs_to(tmp_path):
    assert len(ordered(tmp_path, before=timedelta(days=3)).json["cards"]) == 1
    words = told(tmp_path)
    assert "Estimated before the operation Spine fusion, as of 26 Nov 2026" in words
    assert "Death within 30 days" in words
    assert NONE not in words


@pytest.mark.parametrize(
    ("before", "members", "words"),
    [
        (timedelta(days=40), {}, NONE),
        (timedelta(hours=-1), {}, NONE),
        (timedelta(days=3), {"mode": "silent"}, NONE),
    ],
)
def test_of_another_time_or_what_was_withheld_there_is_none(tmp_path, before, members, words):
    ordered(tmp_path, before=before, **members)
    assert words in told(tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        an_order(("http://www.ama-assn.org/go/cpt", "27447"), order_id="knee"),
        an_order(("urn:nobody", "ZZ-1"), order_id="unmapped"),
        an_order(order_id="urgent", priority="urgent"),
    ],
)
def test_of_two_planned_operations_none_is_chosen(tmp_path, other):
    ordered(tmp_path, before=timedelta(days=3))
    ordered(tmp_path, before=timedelta(days=2), order=other)
    assert "Estimates of several planned operations are on record" in told(tmp_path)


def test_where_the_record_cannot_be_asked_that_is_told(tmp_path, monkeypatch):
    def cannot(*_args, **_kwargs):
        raise DatabaseError("hangs")

    ordered(tmp_path, before=timedelta(days=3))
    monkeypatch.setattr(earlier_estimate, "earlier_calls", cannot)
    assert "Whether an estimate was made before cannot be told now." in told(tmp_path)


def test_while_the_case_runs_no_estimate_of_before_stands_there(tmp_path):
    ordered(tmp_path, before=timedelta(days=3))
    app = an_hospital(tmp_path, "live", at=BEGIN + timedelta(minutes=59))
    send(app, an_hour(ended=False))
    assert "Estimated before" not in words_of(look(app, f"/{case_id(app)}"))


def scored(folder, rate):
    """A case of 10 or fewer points, by its lowest heart rate."""
    app = an_hospital(folder, at=LATER)
    loss = a_value("81661-1", 80, 3500, valueQuantity={"value": 80, "code": "mL", "system": UCUM})
    loss["effectivePeriod"] = {"start": at(0), "end": at(3500)}
    del loss["effectiveDateTime"]
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1957-03-02"}
    pressures = [a_value("76214-6", 80 + n % 3, 60.0 * n) for n in range(60)]
    rates = [a_value("8867-4", rate + n % 2, 60.0 * n) for n in range(60)]
    assert send(app, a_bundle(loss, person, an_operation(3600), *pressures, *rates)).status_code == 200
    return words_of(look(app, f"/{case_id(app)}"))


def test_the_published_rates_stand_with_their_events(tmp_path):
    high, middle = scored(tmp_path / "high", 52), scored(tmp_path / "middle", 82)
    assert "10 of 10 points" in high
    assert "Gawande 2007, major complication or death, 8 of 220 (3.6 %)" in high
    assert RATES_OF in high
    assert "No rate is published for this number of points." in middle
    assert RATES_OF in after_operation.card_of(registry.load()).limits
