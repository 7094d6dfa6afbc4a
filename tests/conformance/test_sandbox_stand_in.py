"""A client that behaves as the public sandbox does (cds-hooks/sandbox 3b7e255): it installs from no registry.

It keys services by URL and id, signs with a `jku`, fires order-select at each change of a draft, takes a card away when
its hook fires again without one, and sends feedback for what was accepted or dismissed.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import jwt
import pytest

from cds_service.web.app import RECORDS
from tests.acceptance.requests import a_functional_status, a_request, an_asa_class, an_order, bundle
from tests.cds_service.trust.signing import key
from tests.conformance.conftest import PUBLIC, a_tenant_file, an_app

ISSUER = "https://ehr.example.org"


class Sandbox:
    """What stands on its screen: one service by URL and id, and the cards of each."""

    def __init__(self, app: Any) -> None:
        self.app, self.http = app, app.test_client()
        found = self.http.get("/cds-services").json["services"]
        self.services = {f"/cds-services/{one['id']}": one for one in found}
        self.cards: dict[str, list[Any]] = {}

    def signed(self, path: str) -> dict[str, str]:
        now = time.time()
        claims = {"iss": ISSUER, "aud": PUBLIC + path, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        header = {"kid": "key-ES384", "jku": "https://sandbox.cds-hooks.org/.well-known/jwks.json"}
        return {"Authorization": f"Bearer {jwt.encode(claims, key(), algorithm='ES384', headers=header)}"}

    def fire(self, hook: str, request: dict[str, Any]) -> None:
        for path, service in self.services.items():
            if service["hook"] != hook:
                continue
            body = request | {"hook": hook, "hookInstance": str(uuid.uuid4())}
            answer = self.http.post(path, json=body, headers=self.signed(path))
            assert answer.status_code == 200, answer.text
            self.cards[path] = answer.json["cards"]

    def feedback(self, **told: Any) -> None:
        for path, cards in self.cards.items():
            for card in cards:
                item = {"card": card["uuid"], "outcomeTimestamp": "2026-11-29T09:31:00Z", **told}
                where = f"{path}/feedback"
                answer = self.http.post(where, json={"feedback": [item]}, headers=self.signed(where))
                assert answer.json == {"received": 1}

    @property
    def screen(self) -> list[Any]:
        return [card for cards in self.cards.values() for card in cards]

    def kept(self, query: str) -> list[Any]:
        records = self.app.extensions[RECORDS]
        assert records.flush(5)
        with records.durable.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    tenant = {"environment": "dev", "vendor_profile": "sandbox", "dedupe_window_s": 600.0}
    return Sandbox(an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants", **tenant)))


# Once, for the builders write the present instant into results.
CHART = a_request(observations=bundle(a_functional_status()))["prefetch"]


def edited(observations: Any = None, **order: Any) -> dict[str, Any]:
    request = a_request(an_order(**order))
    changed = {"observations": observations} if observations else {}
    return request | {"prefetch": CHART | changed}


def test_order_select_fires_and_its_card_stays_through_every_change_of_the_draft(sandbox: Sandbox) -> None:
    assert {one["hook"] for one in sandbox.services.values()} >= {"order-select", "order-sign"}
    shown = []
    for note in ("", "left side", "left side, urgent bed"):
        sandbox.fire("order-select", edited(note=[{"text": note}]))
        shown += [card["uuid"] for card in sandbox.screen]
    assert len(shown) == 3, "the screen said: no recommendations to display"
    assert len(set(shown)) == 1
    assert sandbox.kept("SELECT count(*) FROM card") == [(1,)]


def test_a_figure_that_changed_is_a_card_of_its_own(sandbox: Sandbox) -> None:
    sandbox.fire("order-select", edited())
    (before,) = sandbox.screen
    sandbox.fire("order-select", edited(observations=bundle(a_functional_status(), an_asa_class("III"))))
    (after,) = sandbox.screen
    assert after["uuid"] != before["uuid"]


@pytest.mark.parametrize(
    "told",
    [
        {"outcome": "overridden", "overrideReason": {"reason": {"code": "action-completed"}, "userComment": "talked"}},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}]},
    ],
)
def test_an_answered_card_goes_and_its_feedback_is_in_the_record(sandbox: Sandbox, told: dict[str, Any]) -> None:
    sandbox.fire("order-select", edited())
    (card,) = sandbox.screen
    sandbox.feedback(**told)
    sandbox.fire("order-select", edited())
    assert sandbox.screen == []
    reason = told.get("overrideReason", {}).get("reason", {}).get("code")
    kept = sandbox.kept("SELECT card_uuid, outcome, reason_code, service_id FROM feedback")
    assert kept == [(card["uuid"], told["outcome"], reason, "surgical-risk-order-select")]
