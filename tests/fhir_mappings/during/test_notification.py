"""A notification as the Backport IG writes it, and whatever else may stand in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.during.notification import Event, read_notification, type_and_id

BASE = "https://example.org/fhir/r4"
OBSERVATION = {"resourceType": "Observation", "id": "o1", "status": "final"}


def parameters(*events: dict[str, Any], **said: Any) -> dict[str, Any]:
    named: dict[str, Any] = {
        "subscription": {"valueReference": {"reference": f"{BASE}/Subscription/vitals"}},
        "status": {"valueCode": "active"},
        "type": {"valueCode": "event-notification"},
        "events-since-subscription-start": {"valueString": "2"},
    } | said
    every = [{"name": name, **value} for name, value in named.items() if value is not None]
    return {"resourceType": "Parameters", "parameter": every + list(events)}


def event(number: object = "2", focus: str | None = f"{BASE}/Observation/o1") -> dict[str, Any]:
    part: list[dict[str, Any]] = [{"name": "event-number", "valueString": number}]
    if focus is not None:
        part.append({"name": "focus", "valueReference": {"reference": focus}})
    return {"name": "notification-event", "part": part}


def body(status: Any, *entries: Any, kind: str = "history") -> bytes:
    first = {"fullUrl": "urn:uuid:1", "resource": status, "request": {"method": "GET", "url": "x"}}
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": [first, *entries]}).encode()


def test_full_resource() -> None:
    entry = {"fullUrl": f"{BASE}/Observation/o1", "resource": OBSERVATION, "request": {"method": "PUT", "url": "x"}}
    told = read_notification(body(parameters(event()), entry))
    assert told is not None
    assert (told.subscription, told.kind, told.since_start, told.status) == (
        "vitals",
        "event-notification",
        2,
        "active",
    )
    assert told.events == (Event(2, "Observation/o1"),)
    assert [name for name, _ in told.resources] == ["Observation/o1"]
    assert told.unreadable == 0


def test_id_only_and_deleted() -> None:
    named = {"fullUrl": f"{BASE}/Observation/o1/_history/3", "request": {"method": "POST", "url": "Observation"}}
    gone = {"request": {"method": "DELETE", "url": "Observation/o2"}}
    told = read_notification(body(parameters(event()), named, gone))
    assert told is not None
    assert (told.named, told.gone, told.unreadable) == (("Observation/o1",), ("Observation/o2",), 0)


@pytest.mark.parametrize(
    "status",
    [
        parameters(subscription=None),
        parameters(subscription={"valueReference": {"reference": "Patient/1"}}),
        parameters(type={"valueCode": "other"}),
        parameters(type=None),
        OBSERVATION,
        None,
        [],
    ],
)
def test_what_names_no_subscription_or_no_kind_is_none(status: Any) -> None:
    assert read_notification(body(status)) is None


def test_nor_is_a_bundle_of_another_type() -> None:
    assert read_notification(body(parameters(), kind="collection")) is None


@pytest.mark.parametrize("number", ["", "-1", "0", "1.5", "²", "9" * 30, 7, None])
def test_an_event_without_a_number_that_can_be_read_is_told(number: object) -> None:
    told = read_notification(body(parameters(event(number))))
    assert told is not None
    assert (told.events, told.unreadable) == ((), 1)


@pytest.mark.parametrize("entry", [{}, {"resource": 1}, [], "x", {"resource": {"resourceType": 1}}, {"fullUrl": None}])
def test_an_entry_that_cannot_be_read_is_told(entry: Any) -> None:
    told = read_notification(body(parameters(event()), entry))
    assert told is not None
    assert told.unreadable == 1


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("Observation/1", "Observation/1"),
        (f"{BASE}/Observation/1/_history/4", "Observation/1"),
        ("Observation", ""),
        ("Observation?identifier=1", ""),
        ("urn:uuid:1", ""),
        ("fhir/1", ""),
        ("Observation/", ""),
        ("", ""),
    ],
)
def test_type_and_id(reference: str, name: str) -> None:
    assert type_and_id(reference) == name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.lists(JSON, max_size=3), JSON)
def test_nothing_that_is_sent_raises(part: Any, entries: list[Any], whole: Any) -> None:
    odd = parameters({"name": "notification-event", "part": part})
    read_notification(body(odd, *entries))
    read_notification(json.dumps(whole).encode())
    read_notification(b"\xff" + body(odd))
