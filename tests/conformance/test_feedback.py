"""K. Feedback, over HTTP: the standard's examples, Epic's, batches, repeats, strangers."""

import uuid

import pytest

from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_token

URL = f"{SERVICE}/feedback"
AT = "2026-11-22T10:05:31Z"


def an_item(**members):
    item = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": AT} | members
    return {name: value for name, value in item.items() if value is not None}


@pytest.fixture
def send(http):
    return lambda body: http.post(URL, json=body)


@pytest.fixture
def kept(demo):
    def count(statement, *values):
        with demo.extensions["surgical-risk-records"].durable.connect() as connection:
            return connection.exec_driver_sql(statement, values).all()

    return count


def test_K_01_K_05_K_07_the_examples_of_the_standard_are_received(send):
    accepted = an_item(outcome="accepted", acceptedSuggestions=[{"id": str(uuid.uuid4())}])
    reasoned = an_item(overrideReason={"reason": {"code": "c", "system": "s"}, "userComment": "text"})
    commented = an_item(overrideReason={"userComment": "text"})
    response = send({"feedback": [accepted, reasoned, commented, an_item()]})
    assert (response.status_code, response.json) == (200, {"received": 4})


@pytest.mark.parametrize("body", [[], {}, {"feedback": None}, {"feedback": {}}, {"feedback": []}, "x", [an_item()]])
def test_K_02_a_body_that_is_no_feedback_is_400(send, body):
    assert send(body).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"card": None}, {"outcome": None}, {"outcome": "ignored"}, {"outcomeTimestamp": None}]
)
def test_K_03_an_item_without_its_required_members_is_rejected(send, wrong):
    assert send({"feedback": [an_item(**wrong)]}).status_code == 400


@pytest.mark.parametrize("at", ["2026-11-22T10:05:31.120Z", "2026-11-22T10:05:31+00:00", "2026-11-22T11:05:31+01:00"])
def test_K_03_fractions_and_offsets_are_read(send, at):
    assert send({"feedback": [an_item(outcomeTimestamp=at)]}).status_code == 200


@pytest.mark.parametrize("suggestions", [None, "x", ["x"], [{}], [{"id": 7}]])
def test_K_04_accepted_needs_a_list_of_objects_with_ids(send, suggestions):
    assert send({"feedback": [an_item(outcome="accepted", acceptedSuggestions=suggestions)]}).status_code == 400


def test_K_06_a_batch_is_kept_once_and_every_distinct_event_of_a_card_too(send, kept):
    card = str(uuid.uuid4())
    batch = {"feedback": [an_item(card=card), an_item(card=card, outcomeTimestamp="2026-11-22T11:00:00Z"), an_item()]}
    assert [send(batch).json for _ in range(2)] == [{"received": 3}] * 2
    assert kept("SELECT count(*) FROM feedback WHERE card_uuid = ?", card) == [(2,)]


def test_K_08_feedback_needs_a_token_for_its_own_url_or_the_services(guarded):
    body = {"feedback": [an_item()]}
    for path, status in ((SERVICE, 200), (URL, 200), ("/cds-services", 401), ("/cds-services/x/feedback", 401)):
        assert guarded.post(URL, json=body, headers=a_token(path)).status_code == status
    assert guarded.post(URL, json=body).status_code == 401


@pytest.mark.parametrize("as_list", [False, True])
def test_K_09_epics_variants_are_read_with_their_reason(send, kept, as_list):
    name = "com.epic.cdshooks.feedback.overrideReason."
    reason = {
        "extension": {f"{name}reasonCategory": "45", f"{name}reasonDisplay": "Not applicable"},
        "userComment": "x",
    }
    card = str(uuid.uuid4().int)
    assert send({"feedback": [an_item(card=card, overrideReasons=[reason] if as_list else reason)]}).status_code == 200
    found = kept("SELECT reason_code, reason_display, comment FROM feedback WHERE card_uuid = ?", card)
    assert found == [("45", "Not applicable", "x")]


def test_K_10_a_comment_is_in_no_log(send, capfd):
    send({"feedback": [an_item(overrideReason={"userComment": "canary-comment"})]})
    assert "canary-comment" not in "".join(capfd.readouterr())


def test_K_11_a_card_without_feedback_has_no_row(post, kept):
    card = post(a_request()).json["cards"][0]
    assert kept("SELECT count(*) FROM feedback WHERE card_uuid = ?", card["uuid"]) == [(0,)]


def test_K_12_an_unknown_card_gets_the_same_answer_as_a_known_one(post, send):
    # Of a user of its own: what this one dismisses is not shown to that user again (DEC-42), in no test after this.
    asked = a_request()
    asked["context"]["userId"] = "Practitioner/who-dismisses"
    card = post(asked).json["cards"][0]
    known, unknown = (send({"feedback": [an_item(card=each)]}) for each in (card["uuid"], str(uuid.uuid4())))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)


def test_K_13_a_bad_item_costs_no_good_one_and_a_single_bad_item_is_400(send):
    response = send({"feedback": [an_item(), {"card": 7}, an_item()]})
    assert (response.status_code, response.json["received"]) == (200, 2)
    assert [item["index"] for item in response.json["rejected"]] == [1]
    assert send({"feedback": [{"card": 7}]}).status_code == 400
