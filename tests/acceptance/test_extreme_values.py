"""No number and no time of a record is too large, too small or too far away to be counted: the answer goes on."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Post
from tests.acceptance.foreign_lists import WHO
from tests.acceptance.requests import ICD, LOINC, a_request, a_result, an_asa_class, bundle
from tests.acceptance.unreadable import RXNORM, a_medicine

Json = dict[str, Any]
Place = tuple[str | int, ...]
NUMBERS = (0, -1, 1e-300, 9e8, 9e15, 1e300, -9e8)
TIMES = ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "9999", "0001-01")
_DAY, _SPAN = "2026-11-01", {"start": "2026-10-01", "end": "2026-11-01"}
_DAYS = {"value": 5, "unit": "d", "code": "d", "system": "http://unitsofmeasure.org"}
_DRUG = {"coding": [{"system": RXNORM, "code": "274783"}]}
_DOSES = [
    {"timing": {"repeat": {"boundsDuration": _DAYS}}},
    {"timing": {"repeat": {"boundsRange": {"low": _DAYS, "high": _DAYS}}}},
]


def prescribed() -> Json:
    """A medicine in each of its forms, with all that says when and for how long."""
    given = {"status": "completed", "subject": WHO, "medicationCodeableConcept": _DRUG}
    courses = {"authoredOn": _DAY, "dosageInstruction": _DOSES}
    supply = {"validityPeriod": {"start": _DAY}, "numberOfRepeatsAllowed": 2}
    said = {"resourceType": "MedicationStatement", "id": "s", **given, "status": "not-taken", "dateAsserted": _DAY}
    return bundle(
        a_medicine("274783") | courses | {"dispenseRequest": supply},
        said | {"effectivePeriod": _SPAN},
        {"resourceType": "MedicationDispense", "id": "d", **given, "whenHandedOver": _DAY, "daysSupply": _DAYS},
        {"resourceType": "MedicationAdministration", "id": "a", **given, "effectivePeriod": _SPAN},
    )


def record() -> Json:
    """A request with each kind of resource, and every way in which they tell a time."""
    coded = {"coding": [{"system": ICD, "code": "C34.1"}]}
    ill = {"resourceType": "Condition", "code": coded, "subject": WHO, "recordedDate": _DAY}
    local = {"coding": [{"system": LOINC, "code": "718-7"}]}
    held = {"resourceType": "Observation", "id": "h", "status": "final", "code": local, "valueQuantity": _DAYS}
    panel = {"resourceType": "Observation", "id": "p", "status": "final", "subject": WHO, "issued": f"{_DAY}T08:00:00Z"}
    named = {"code": {"coding": [{"system": LOINC, "code": "58410-2"}]}, "hasMember": [{"reference": "Observation/no"}]}
    done = {"resourceType": "Procedure", "status": "in-progress", "subject": WHO, "performedPeriod": _SPAN}
    spine = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "22612"}]}
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "subject": WHO, "code": local}
    return a_request(
        conditions=bundle(ill | {"id": "c", "onsetPeriod": _SPAN, "abatementPeriod": _SPAN}),
        labs=bundle(a_result("2160-0", 1.1, "mg/dL"), {**panel, **named, "contained": [held]}),
        observations=bundle(an_asa_class(), a_result("39156-5", 27.1, "kg/m2")),
        medications=prescribed(),
        procedures=bundle(done | {"id": "q", "code": spine}, done | {"id": "t", "code": local}),
        reports=bundle(report | {"effectivePeriod": _SPAN}),
    )


def is_time(value: object) -> bool:
    try:
        datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return False
    return isinstance(value, str)


def places(of: Any, way: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Where a number or a time stands, and whether it is a time."""
    if isinstance(of, dict | list):
        for name, value in of.items() if isinstance(of, dict) else enumerate(of):
            yield from places(value, (*way, name))
    elif is_time(of) or (isinstance(of, int | float) and not isinstance(of, bool)):
        yield way, isinstance(of, str)


def with_extreme(body: Json, ways: list[Place], value: object) -> Json:
    changed = copy.deepcopy(body)
    for way in ways:
        inside: Any = changed
        for name in way[:-1]:
            inside = inside[name]
        inside[way[-1]] = value
    return changed


@pytest.mark.parametrize("time", [False, True], ids=["numbers", "times"])
def test_no_value_ends_the_answer(post: Post, time: bool) -> None:
    body = record()
    every = [way for way, is_a_time in places(body["prefetch"]) if is_a_time is time]
    assert len(every) > 10
    for value in TIMES if time else NUMBERS:
        for ways in [every] + [[way] for way in every]:
            changed = body | {"prefetch": with_extreme(body["prefetch"], ways, value)}
            answer = post(changed)
            assert answer.status_code < 500, (value, ways, answer.get_data(as_text=True)[:300])
