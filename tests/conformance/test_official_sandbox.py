"""The official sandbox's own requests, byte for byte, at the instant at which it sent them.

The service's clock stands at that instant: its tokens hold for five minutes, and the patient's dates are of that day.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.web.app import RECORDS, create_app
from cds_service.web.settings import Settings
from tests.conformance import sandbox_exchanges
from tests.conformance.conftest import a_tenant_file
from tests.conformance.sandbox_exchanges import Exchange

SENT = sandbox_exchanges.recorded()
VIEW, RX_VIEW, MEDICINE, NUMBER, ACCEPTED, AFTER, IMAGING, STUDY, DISMISSED, LATER = SENT
ABOUT_THE_CHART, NOT_JUDGED = "**About the operation in the chart**", "was not judged"


class Service:
    """A tenant as docs/sandbox.md sets it up, whose clock is that of what is sent to it."""

    def __init__(self, folder: Path) -> None:
        self.now = SENT[VIEW].received
        asked = sandbox_exchanges.tenant(sandbox_exchanges.pinned())
        # What the builder of production tenants sets besides, as a tenant file that names none of it has it.
        unset = {"thresholds_approved": None, "local_validation": None, "dedupe_window_s": 86_400.0}
        members = unset | {"public_url": SENT[VIEW].base} | asked
        settings = Settings(
            database_url=f"sqlite:///{folder}/record.sqlite3",
            state_directory=folder,
            tenants=a_tenant_file(folder / "tenants", **members),
        )
        self.app = create_app(settings, clock=lambda: self.now)

    def send(self, name: str, *, at: datetime | None = None) -> Any:
        one = SENT[name]
        self.now = at or one.received
        path = one.url.removeprefix(one.base)
        return self.app.test_client().post(path, data=one.body.encode(), headers=one.headers)

    def cards(self, name: str) -> list[Any]:
        answer = self.send(name)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == SENT[name].headers["origin"]
        cards: list[Any] = answer.json["cards"]
        return cards

    def feedback(self, name: str, **replaced: str) -> Any:
        """As it was sent, but for the ids, which this service drew anew."""
        one, text = SENT[name], SENT[name].body
        for old, new in replaced.items():
            text = text.replace(old, new)
        self.now = one.received
        path = one.url.removeprefix(one.base)
        return self.app.test_client().post(path, data=text.encode(), headers=one.headers)

    def kept(self, query: str) -> list[Any]:
        records = self.app.extensions[RECORDS]
        assert records.flush(5)
        with records.durable.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_every_exchange_names_the_sandboxs_commit() -> None:
    assert {one.sandbox for one in SENT.values()} == {"3b7e25546771"}


def test_an_opened_chart_gets_the_card_of_its_operation(service: Service) -> None:
    (card,) = service.cards(VIEW)
    assert card["summary"].startswith("30-day death after spinal fusion")
    assert ABOUT_THE_CHART not in card["detail"]


def test_one_card_stays_through_three_calls_for_one_medicine(service: Service) -> None:
    shown = [card for name in (RX_VIEW, MEDICINE, NUMBER) for card in service.cards(name)]
    assert len(shown) == 3, "the screen said: no recommendations to display"
    assert len({card["uuid"] for card in shown}) == 1
    assert {card["summary"].partition(":")[0] for card in shown} == {"30-day death after spinal fusion"}
    assert all(card["detail"].startswith(ABOUT_THE_CHART) and NOT_JUDGED not in card["detail"] for card in shown)
    assert service.kept("SELECT count(*) FROM card") == [(1,)]


def test_an_imaging_order_without_a_study_is_not_judged_and_the_card_stays_with_the_study(service: Service) -> None:
    before, after = [card for name in (IMAGING, STUDY) for card in service.cards(name)]
    assert before["uuid"] == after["uuid"]
    assert (NOT_JUDGED in before["detail"], NOT_JUDGED in after["detail"]) == (True, False)


@pytest.mark.parametrize(
    ("shown", "answered", "then", "outcome", "reason"),
    [
        (NUMBER, ACCEPTED, AFTER, "accepted", None),
        (STUDY, DISMISSED, LATER, "overridden", "action-completed"),
    ],
)
def test_what_was_answered_is_in_the_record_and_does_not_come_again(
    service: Service, shown: str, answered: str, then: str, outcome: str, reason: str | None
) -> None:
    (card,) = service.cards(shown)
    (told,) = json.loads(SENT[answered].body)["feedback"]
    ids = {told["card"]: card["uuid"]}
    for one in told.get("acceptedSuggestions", []):
        ids[one["id"]] = card["suggestions"][0]["uuid"]
    assert service.feedback(answered, **ids).json == {"received": 1}
    assert service.cards(then) == []
    kept = service.kept("SELECT card_uuid, outcome, reason_code, service_id FROM feedback")
    assert kept == [(card["uuid"], outcome, reason, "surgical-risk-order-select")]


def test_its_token_counts_for_one_call_in_its_five_minutes_and_its_jku_is_not_fetched(service: Service) -> None:
    assert service.send(NUMBER, at=SENT[NUMBER].received + timedelta(minutes=7)).status_code == 401
    assert service.send(NUMBER).status_code == 200
    again = SENT[NUMBER].received + timedelta(seconds=1)
    assert service.send(NUMBER, at=again).status_code == 401, "its jti was used"


def test_what_it_sends_of_a_draft_is_no_valid_order_and_is_answered_all_the_same() -> None:
    """Facts about the sandbox that the service puts up with; where one goes, the words that tell it go too."""
    empty = _draft(SENT[IMAGING])
    assert empty["code"] == {"coding": [{}]}
    assert "intent" not in _draft(SENT[RX_VIEW])
    assert "medicationCodeableConcept" not in _draft(SENT[RX_VIEW])
    assert isinstance(_draft(SENT[MEDICINE])["category"], dict), "a list in FHIR R4"


def _draft(one: Exchange) -> Any:
    (entry,) = json.loads(one.body)["context"]["draftOrders"]["entry"]
    return entry["resource"]
