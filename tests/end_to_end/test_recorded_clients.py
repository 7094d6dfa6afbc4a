"""Medplum's client and HealthChain still send what was kept of them, and take what they are answered."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import pytest

from tests.conformance import client_exchanges
from tests.conformance.client_exchanges import Exchange
from tests.end_to_end import record_clients

pytestmark = pytest.mark.end_to_end
_NEW_IN_EVERY_CALL = ("hookInstance", "meta")


def lasting(told: Any, day: date) -> Any:
    """Without ids, and versions of the server, that are drawn anew; ports too are. An order is for so many days on."""
    if isinstance(told, dict):
        kept = {name: lasting(value, day) for name, value in told.items() if name not in _NEW_IN_EVERY_CALL}
        if "draftOrders" in told:
            for one in kept["draftOrders"]["entry"]:
                planned = one["resource"]["occurrenceDateTime"]
                one["resource"]["occurrenceDateTime"] = f"<{(date.fromisoformat(planned) - day).days} days on>"
        return kept
    if isinstance(told, list):
        return [lasting(value, day) for value in told]
    return re.sub(r"127\.0\.0\.1:\d+", "<server>", told) if isinstance(told, str) else told


def shape(one: Exchange) -> tuple[Any, ...]:
    return one.client, one.did, one.path, one.headers, lasting(json.loads(one.body), one.received.date())


@pytest.mark.parametrize("client", record_clients.SENT)
def test_it_sends_what_was_kept(client: str) -> None:
    """The demo's people as of the day of the recording: their dates move with the day."""
    kept = client_exchanges.recorded()[client]
    sent = record_clients.SENT[client](kept[0].received)
    assert [shape(one) for one in sent] == [shape(one) for one in kept]
