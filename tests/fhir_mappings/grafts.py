"""The mutator: each messy case's oddity put into another person's data, as one request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from fhir_mappings.report import bulk
from fhir_mappings.terminology.value_sets import STANDARD
from tests import builders
from tests.acceptance.messy_cases import CASES, PATIENTS
from tests.fhir_mappings import cohorts
from tests.fhir_mappings.cohorts import Person

_PERSONAL = frozenset({"age", "sex"})
_ANSWERS = frozenset({"asa_class", "functional_status", "smoking_status"})
# What is computed from what: a case about one of these is not mixed with the person's own results of the others.
_TOGETHER = (frozenset({"creatinine", "egfr"}), frozenset({"height", "weight", "bmi"}))
_ABOUT_THE_PERSON = frozenset({"required-input-missing", "out-of-scope", "deceased"})
_KEY_OF = {"Condition": "conditions", "Observation": "observations", "MedicationRequest": "medications",
           "MedicationStatement": "medications", "Procedure": "procedures"}  # fmt: skip
MOST_RESOURCES = 150  # of a large record; its patient among them
# "pt-1" names the patient of every folder; "pt-10" and the like name nobody there.
_NAMED = '"pt-1"', 'Patient/pt-1"', "Patient/pt-1/", 'urn:uuid:pt-1"'

READABLE = sorted(name for name in CASES if (PATIENTS / name / "request.json").exists())


def applied(name: str, one: Person) -> dict[str, Any]:
    """The request of a case about this person: the case's data, and of the person's own what the case is not about."""
    text = (PATIENTS / name / "request.json").read_text()
    for named in _NAMED:
        text = text.replace(named, named.replace("pt-1", one.id))
    request: dict[str, Any] = json.loads(text)
    for key, resource in _own(name, one):
        if key == "patient":
            request["prefetch"]["patient"] = resource
        elif isinstance(found := request["prefetch"].get(key), dict) and "entry" in found:
            found["entry"].append({"resource": resource})
    return request


def _own(name: str, one: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    """The person's own resources that may stand beside the case's, with their prefetch key."""
    about = set(CASES[name]["inputs"])
    about_the_person = about & _PERSONAL or CASES[name]["http"].get("audit") in _ABOUT_THE_PERSON
    measured = about <= {*builders.MEASUREMENTS, *_ANSWERS, *_PERSONAL} and not about_the_person
    codes = _codes(frozenset(about))
    for resource, written in _first(one):
        kind = resource["resourceType"]
        if kind == "Patient":
            if not about_the_person:
                yield "patient", resource
        elif kind == "Observation":
            if not any(code in written for code in codes):
                yield "observations", resource
        elif measured and kind in _KEY_OF:
            yield _KEY_OF[kind], resource


@cache
def _first(one: Person) -> tuple[tuple[dict[str, Any], bytes], ...]:
    """The first resources, the Patient before all, each with its JSON."""
    raws = sorted(one.resources, key=lambda raw: bulk.type_of(raw) != "Patient")[:MOST_RESOURCES]
    return tuple((cohorts.read(raw), bytes(raw)) for raw in raws)


@cache
def _codes(about: frozenset[str]) -> frozenset[bytes]:
    """Every LOINC code of the inputs that a case is about, and of pregnancy, which ends every estimate; as JSON."""
    names = set(about)
    for group in _TOGETHER:
        names |= group if group & about else set()
    ideas = {name.replace("_", "-") for name in names} & {*STANDARD.by_id} | {"pregnancy-status"}
    answers = {"asa_class": "97816-3", "smoking_status": "72166-2"}
    found = {code for idea in ideas for code in builders.codes_of(idea)}
    found |= {answers[name] for name in names if name in answers}
    return frozenset(f'"{code}"'.encode() for code in found)
