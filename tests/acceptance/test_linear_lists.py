"""No list of a request costs more than in proportion to it: many codings, many words, many entries beside others.

One prescription of 74 kB, whose words were searched once for each of its codings, took over a second and was a 503.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import Post
from tests.acceptance.foreign_lists import problem
from tests.acceptance.foreign_medicines import statement
from tests.acceptance.requests import (
    CPT,
    ICD,
    LOINC,
    SNOMED,
    a_request,
    a_result,
    an_asa_class,
    an_order,
    bundle,
    days_ago,
)
from tests.acceptance.unreadable import RXNORM, a_medicine, a_procedure

Json = dict[str, Any]
MANY = 1_000  # and twice as many
FAST_S, MOST_RATIO, ROUNDS = 0.060, 2.6, 4
IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
WORDS = "acute on chronic "


def _with(name: str, resource: Json) -> Callable[[Json], Json]:
    return lambda concept: resource | {name: concept}


ENTRIES: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "conditions": ("conditions", _with("code", problem())),
    "condition, category": ("conditions", lambda concept: problem(category=[concept])),
    "condition, status": ("conditions", lambda concept: problem(clinicalStatus=concept, verificationStatus=concept)),
    "medications": ("medications", _with("medicationCodeableConcept", a_medicine("274783"))),
    "medications dispensed": (
        "medications",
        lambda concept: {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "subject": {"reference": "Patient/pt-b"},
            "medicationCodeableConcept": concept,
        },
    ),
    "medications, category": ("medications", lambda concept: a_medicine("274783") | {"category": [concept]}),
    "procedures": ("procedures", _with("code", a_procedure("22612"))),
    "labs": ("labs", _with("code", a_result("2160-0", 1.1, "mg/dL"))),
    "observations": ("observations", _with("code", an_asa_class())),
    "observation, answer": ("observations", _with("valueCodeableConcept", an_asa_class())),
    "observation, component": ("observations", lambda concept: an_asa_class() | {"component": [{"code": concept}]}),
    "orders": ("orders", lambda concept: an_order(order_id="chart", code=concept, status="active")),
    "reports": (
        "reports",
        lambda concept: {
            "resourceType": "DiagnosticReport",
            "id": "r",
            "status": "final",
            "code": concept,
            "subject": {"reference": "Patient/pt-b"},
            "effectiveDateTime": days_ago(3),
            "conclusionCode": [concept],
        },
    ),
}
# Codings of which nothing is known, of which much is, each of another system, and of which each has its own words.
CODINGS: dict[str, Callable[[int], Json]] = {
    "RxNorm of no table": lambda number: {"system": RXNORM, "code": str(9_000_000 + number)},
    "RxNorm, with words": lambda number: {"system": RXNORM, "code": str(9_000_000 + number), "display": WORDS},
    "RxNorm, known": lambda _: {"system": RXNORM, "code": "274783"},
    "RxNorm, by its form": lambda _: {"system": RXNORM, "code": "3264"},
    "ICD-10-CM": lambda _: {"system": ICD, "code": "E11.22"},
    "ICD-10-CM of no list": lambda number: {"system": ICD, "code": f"Q{number % 100:02}.{number}"},
    "SNOMED CT of no list": lambda number: {"system": SNOMED, "code": str(2_003_000_000 + number)},
    "SNOMED CT of each edition": lambda number: {"system": f"{SNOMED}/{number}", "code": "73211009"},
    "LOINC": lambda number: {"system": LOINC, "code": f"{number}-0"},
    "CPT": lambda number: {"system": CPT, "code": f"{number:05}"},
    "none known": lambda _: {"system": IPS, "code": "no-known-problems"},
    "systems of their own": lambda number: {"system": f"urn:oid:1.2.{number}", "code": "X"},
}


def a_concept(coding: Callable[[int], Json], many: int) -> Json:
    return {"coding": [coding(number) for number in range(many)], "text": WORDS * (many // 2)}


def assert_linear(post: Post, body_of: Callable[[int], Json]) -> None:
    """Twice as much takes at most 2.6 times as long, or hardly longer than a request without."""
    once, twice = body_of(MANY), body_of(2 * MANY)
    told = ""
    for _ in range(ROUNDS):  # each figure anew: neighbours come and go between two of them
        longer = seconds(post, twice)
        if longer < FAST_S or longer < MOST_RATIO * seconds(post, once):
            return
        told = f"{longer:.3f} s"
    raise AssertionError(told)


def seconds(post: Post, body: Json) -> float:
    """The better of two, each a call of its own (DEC-17); what is refused took too long."""
    found = []
    for _ in range(2):
        own = body | {"hookInstance": str(uuid.uuid4())}
        started = time.process_time()
        response = post(own)
        found.append(time.process_time() - started)
        assert response.status_code == 200, response.get_data(as_text=True)
    return min(found)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_codings_and_words_of_an_entry_cost_their_number(post: Post, entry: str, coding: str) -> None:
    key, made = ENTRIES[entry]
    assert_linear(post, lambda many: a_request(**{key: bundle(made(a_concept(CODINGS[coding], many)))}))


def _ids(many: int, made: Callable[[int], Json]) -> Json:
    return bundle(*(made(number) | {"id": f"e-{number}"} for number in range(many)))


def _routes(many: int) -> list[Json]:
    return [{"route": {"coding": [{"system": SNOMED, "code": f"5448500{number}"}]}} for number in range(many)]


def _medication(many: int) -> Json:
    ingredients = [{"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "3264"}]}}] * many
    return {"resourceType": "Medication", "id": "m", "ingredient": ingredients}


_FORM = {"coding": [{"system": RXNORM, "code": "3264"}]}
# Many entries of which each could be held against each other, or an entry of which parts could be.
MANY_OF: dict[str, Callable[[int], tuple[str, Json]]] = {
    "not taken, and prescribed": lambda many: (
        "medications",
        _ids(many, lambda number: statement("not-taken") if number % 2 else a_medicine("274783")),
    ),
    "forms, and routes": lambda many: (
        "medications",
        bundle(
            a_medicine("3264")
            | {"medicationCodeableConcept": {"coding": _FORM["coding"] * many}, "dosageInstruction": _routes(many)}
        ),
    ),
    "ingredients, and routes": lambda many: (
        "medications",
        bundle(
            {k: v for k, v in a_medicine("3264").items() if k != "medicationCodeableConcept"}
            | {
                "medicationReference": {"reference": "#m"},
                "contained": [_medication(many)],
                "dosageInstruction": _routes(many),
            }
        ),
    ),
    "handed out": lambda many: (
        "medications",
        _ids(many, lambda _: a_medicine("274783") | {"resourceType": "MedicationDispense", "status": "completed"}),
    ),
    "pregnancies, and their ends": lambda many: (
        "conditions",
        _ids(many, lambda number: problem("Z37.0" if number % 2 else "O09.90", onsetDateTime=days_ago(200))),
    ),
    "cancers": lambda many: ("conditions", _ids(many, lambda _: problem("Z85.3", onsetAge={"value": 1}))),
    "diagnoses of no list": lambda many: ("conditions", _ids(many, lambda _: problem("X", "urn:x"))),
    "dialyses": lambda many: (
        "procedures",
        _ids(many, lambda _: a_procedure("90935") | {"performedDateTime": days_ago(90)}),
    ),
    "under way": lambda many: ("procedures", _ids(many, lambda _: a_procedure("1") | {"status": "in-progress"})),
    "results of one code": lambda many: ("labs", _ids(many, lambda _: a_result("2160-0", 1.1, "mg/dL"))),
    "results of one code and many values": lambda many: (
        "labs",
        _ids(many, lambda number: a_result("2160-0", 1 + number / many, "mg/dL", days=number / many)),
    ),
    "members of a panel": lambda many: (
        "labs",
        bundle(
            a_result("24323-8", 1, "1") | {"hasMember": [{"reference": f"Observation/{one}"} for one in range(many)]}
        ),
    ),
    "contained in a panel": lambda many: (
        "labs",
        bundle(a_result("24323-8", 1, "1") | {"contained": [a_result("2160-0", 1.1, "mg/dL")] * many}),
    ),
    "contained in panels that cannot be read": lambda many: (
        "labs",
        _ids(
            many, lambda _: a_result("24323-8", 1, "1") | {"implicitRules": "x", "contained": [a_result("1-8", 1, "1")]}
        ),
    ),
    "named by Lists": lambda many: (
        "conditions",
        _ids(
            many,
            lambda number: (
                {
                    "resourceType": "List",
                    "status": "current",
                    "subject": {"reference": "Patient/pt-b"},
                    "entry": [{"item": {"reference": f"Condition/{number}"}}],
                }
                if number % 2
                else problem()
            ),
        ),
    ),
    "orders": lambda many: ("orders", _ids(many, lambda _: an_order(status="active"))),
}


@pytest.mark.parametrize("name", MANY_OF)
def test_many_entries_cost_their_number(post: Post, name: str) -> None:
    def body(many: int) -> Json:
        key, sent = MANY_OF[name](many)
        return a_request(**{key: sent})

    assert_linear(post, body)


def test_many_codings_and_categories_of_the_order_cost_their_number(post: Post) -> None:
    def body(many: int) -> Json:
        concept = a_concept(lambda number: {"system": f"urn:oid:1.2.{number}", "code": "X"}, many)
        concept["coding"].append({"system": CPT, "code": "22633"})
        return a_request(an_order(code=concept, category=[concept], reasonCode=[concept]))

    assert_linear(post, body)
