"""Whoever a draft of any type is for is found; what cannot be read names nobody and stops nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fhir_mappings.orders.order_resources import people

P, Q = {"reference": "Patient/p"}, {"reference": "Patient/q"}


def named(draft: Any) -> list[str | None]:
    return [one.reference for one in people(msgspec.Raw(msgspec.json.encode(draft)))]


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        ({"resourceType": "ServiceRequest", "subject": P}, ["Patient/p"]),
        ({"resourceType": "DeviceRequest", "subject": P, "patient": Q}, ["Patient/p", "Patient/q"]),
        ({"resourceType": "Task", "for": P}, ["Patient/p"]),
        ({"resourceType": "Coverage", "beneficiary": P}, ["Patient/p"]),
        ({"resourceType": "Account", "subject": [P, Q]}, ["Patient/p", "Patient/q"]),
        ({"resourceType": "Appointment", "participant": [{"actor": P}, {"status": "accepted"}]}, ["Patient/p"]),
        ({"resourceType": "Patient", "id": "q"}, ["Patient/q"]),
        ({"resourceType": "ServiceRequest", "subject": "Patient/p"}, []),
        ({"resourceType": "ServiceRequest", "subject": None, "participant": None}, []),
        ({"resourceType": "Appointment", "participant": {"actor": P}}, []),
        ({"resourceType": "Appointment", "participant": [{"actor": 7}]}, []),
        ([], []),
        ("Patient/q", []),
    ],
)
def test_everyone_a_draft_is_for_is_found(draft: Any, expected: list[str]) -> None:
    assert named(draft) == expected
