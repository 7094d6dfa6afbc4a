"""Every feature, by its own code, through the functions that answer: what is in the record is never told as absent.

The same person is prefetched and fetched, both by the queries of this service against a store that searches by code.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from cds_service.advice import feature_text
from cds_service.demo.search import search
from cds_service.patient_data.fhir_client import Access, FhirClient
from cds_service.patient_data.gather import Budget, gather, resolve
from cds_service.trust import egress
from cds_service.trust.secret import Secret
from fhir_mappings.features import existing_tests, features, queries
from fhir_mappings.features.features import FEATURES
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.patient import diagnosis_features, medications, patient_record
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.feature import Features
from fhir_mappings.results.finding_rules import FINDINGS
from fhir_mappings.results.measurement_rules import RULES, MeasurementRule
from fhir_mappings.terminology.code_systems import CONCEPT, ICD_10, ICD_10_CM, LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.icd_editions import is_classified
from fhir_mappings.terminology.value_sets import STANDARD
from tests import builders
from tests.builders import (
    AS_OF,
    PATIENT_ID,
    ZONE,
    Resource,
    a_condition,
    a_medication_request,
    a_patient,
    a_procedure,
    an_answer,
    an_observation,
    coded,
    days_ago,
)
from tests.cds_service.patient_data.fhir_server import serving

SITE = "https://hospital.example/codes"
# What has no standard code is known by the site's map, under the id of its value set.
MAPS = ConceptMaps(
    {
        (SITE, idea): ((CONCEPT, idea),)
        for idea, one in STANDARD.by_id.items()
        if all(rule.system == CONCEPT for rule in one.includes)
    }
)
TEMPLATES = queries.prefetch_templates(MAPS)
TOKENS = {"context.patientId": PATIENT_ID, "context.encounterId": None}


def a_result(rule: MeasurementRule, code: tuple[str, str]) -> Resource:
    return an_observation(coded(code), round(sum(rule.soft) / 2, 1), rule.unit)


def codes(idea: str) -> list[tuple[str, str]]:
    """A code of each system by which an idea is known."""
    found = {
        rule.system: rule.value
        for rule in reversed(STANDARD.by_id[idea].includes)
        if rule.kind != "regex" and rule.system != CONCEPT
    }
    return list(found.items()) or [(SITE, idea)]


def laboratory_codes(idea: str) -> list[tuple[str, str]]:
    ideas = [one for one in (idea, f"{idea}-lower-rank") if one in STANDARD.by_id]
    return [(LOINC, code) for one in ideas for code in STANDARD.codes(one, LOINC)] or [(SITE, idea)]


def diagnoses(idea: str, **members: Any) -> list[Resource]:
    known = [one for one in codes(idea) if one[0] in (ICD_10, ICD_10_CM, SNOMED_CT)]
    known = [one for one in known if one[0] == SNOMED_CT or is_classified(*one)]
    assert known, idea
    return [a_condition(coded(one), id="c-1", **members) for one in known]


def answer(idea: str, said: str) -> list[Resource]:
    return [an_answer(coded(one), other) for one in codes(idea) for other in codes(said)]


FUNCTION, SMOKING = "functional-status", "smoking-status"
TODAY = {"recordedDate": days_ago(1), "onsetDateTime": days_ago(1)}
DIABETES, INSULIN = diagnoses("diabetes")[0], a_medication_request("274783")
_GRADED: dict[str, tuple[str, str]] = {
    "charlson_liver_disease": ("charlson-mild-liver-disease", "mild"),
    "charlson_malignancy": ("charlson-metastatic-tumour", "metastatic"),
}
# Feature → one record after another in which it is recorded, and what is then told ("": whatever it is).
EXAMPLES: dict[str, Sequence[tuple[tuple[Resource, ...], object]]] = {
    **{
        rule.name: [((a_result(rule, one),), "") for one in laboratory_codes(rule.name.replace("_", "-"))]
        for rule in (*RULES.values(), *FINDINGS.values())
    },
    **{
        name: [((one,), True) for one in diagnoses(idea)]
        for name, idea in (diagnosis_features.CURRENT_ONLY | diagnosis_features.LIFELONG).items()
    },
    **{
        name: [((one,), True) for one in diagnoses(name.replace("_", "-"))]
        for name in FEATURES
        if name.startswith("charlson_") and name not in _GRADED
    },
    **{name: [((one,), said) for one in diagnoses(idea)] for name, (idea, said) in _GRADED.items()},
    **{
        name: [((one,), True) for one in diagnoses(idea)] for name, (_, idea) in medications.INPUTS.items()
    },
    "age": [((), 71.0)],
    "sex": [((), "male")],
    "asa_class": [((one,), 3.0) for one in answer("asa-class", "asa-class-3")],
    "functional_status": [((one,), "independent") for one in answer(FUNCTION, f"{FUNCTION}-independent")],
    "smoking_status": [((one,), "former") for one in answer(SMOKING, "smoking-former")],
    "hypertension_on_medication": [((one, a_medication_request("29046")), True) for one in diagnoses("hypertension")],
    "dialysis": [((one,), True) for one in diagnoses("dialysis-dependence")]
    + [((a_procedure(*one, performedDateTime=days_ago(3)),), True) for one in codes("dialysis-procedure")],
    "cancer": [((one,), True) for one in diagnoses("cancer")],
    "previous_spine_surgery": [((one,), True) for one in diagnoses("spine-surgery-history")]
    + [((a_procedure(*one),), True) for one in codes("spine-fusion")],
    "sepsis": [((one,), "sepsis") for one in diagnoses("sepsis", **TODAY)],
    "urgency": [((), "elective")],
    "procedure_group": [((), "spine-fusion")],
    "diabetes_treatment": [((DIABETES, INSULIN), "insulin")],
    "hfrs_points": [((a_condition("F05", **TODAY),), ""), ((a_condition("N39.0", **TODAY),), "")],
    "respiratory_infection": [((one,), True) for one in diagnoses("respiratory-infection", **TODAY)],
    "planned_duration": [((), 4.0)],
    "lumbar_stenosis_grade": [((one,), "severe") for one in answer("lumbar-stenosis-grade", "lumbar-stenosis-severe")],
    "spondylolisthesis": [((one,), True) for one in diagnoses("spondylolisthesis")],
    "genetic_finding": [((one,), True) for one in answer("genetic-finding", "genetic-finding-present")],
    "nausea_or_motion_sickness_history": [((one,), True) for one in diagnoses("nausea-or-motion-sickness")]
    + [((one,), True) for one in answer("nausea-or-motion-sickness-question", "answer-yes")],
    "postoperative_opioid_planned": [((one,), True) for one in answer("postoperative-opioid-question", "answer-yes")],
}  # fmt: skip
EXAMPLES["insulin"] = [*EXAMPLES["insulin"], ((INSULIN,), True)]
CASES = [
    pytest.param(name, *one, id=f"{name}-{at}") for name, found in EXAMPLES.items() for at, one in enumerate(found)
]


class Store:
    """A FHIR server that holds what the running test gave it, and finds it by the parameters that it is asked for."""

    def __init__(self) -> None:
        self.held: tuple[Resource, ...] = ()

    def respond(self, path: str) -> tuple[int, Any]:
        kind, _, query = path.removeprefix("/fhir/").partition("?")
        if kind.startswith("Patient/"):
            return 200, a_patient()
        of_kind = [one for one in self.held if one["resourceType"] == kind]
        found = search(of_kind, parse_qs(query))
        return 200, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in found]}


@pytest.fixture(scope="module")
def fetching() -> Iterator[tuple[Store, Access, FhirClient]]:
    store, client = Store(), FhirClient(threads=8)
    with serving(store.respond) as server:
        door = egress.export_door(server.base, connections=8)
        yield store, Access(server.base, Secret("lent-token"), door), client
    client.close()


def gathered(way: str, held: tuple[Resource, ...], fetching: tuple[Store, Access, FhirClient]) -> SearchResults:
    store, access, client = fetching
    store.held = held
    sent = {}
    if way == "prefetched":  # what a client does with our templates
        asked = {key: resolve(template, TOKENS) for key, template in TEMPLATES.items()}
        sent = {key: store.respond(f"/fhir/{query}")[1] for key, query in asked.items() if query}
    return gather(
        {key: msgspec.Raw(json.dumps(body).encode()) for key, body in sent.items()},
        templates=TEMPLATES,
        tokens=TOKENS,
        client=client,
        access=access if way == "fetched" else None,
        budget=Budget(call_s=5, until=time.monotonic() + 5),
    )


def a_record(results: SearchResults) -> PatientRecord:
    return patient_record.read_record(results, patient_id=PATIENT_ID, as_of=AS_OF, zone=ZONE, maps=MAPS)


def derive(record: PatientRecord) -> Features:
    period = {"start": days_ago(-10), "end": days_ago(-10 - 4 / 24)}
    return features.derive(record, builders.a_planned_procedure(occurrencePeriod=period))


def test_there_is_an_example_of_every_feature() -> None:
    assert set(EXAMPLES) == set(FEATURES)


@pytest.mark.parametrize("way", ["prefetched", "fetched"])
@pytest.mark.parametrize(("name", "held", "told"), CASES)
def test_a_feature_is_found_by_its_own_code(
    name: str, held: tuple[Resource, ...], told: object, way: str, fetching: tuple[Store, Access, FhirClient]
) -> None:
    found = derive(a_record(gathered(way, held, fetching)))[name]
    assert (found.usable, found.reason) == (True, None)
    assert told in ("", found.value)
    assert found.value not in (False, "none")
    assert FEATURES[name].label.split()[0] in feature_text.feature(found, AS_OF) or isinstance(found.value, str)


@pytest.mark.parametrize("way", ["prefetched", "fetched"])
@pytest.mark.parametrize("test", existing_tests.TESTS_DAYS)
def test_a_test_that_was_done_is_found_by_each_of_its_codes(
    test: str, way: str, fetching: tuple[Store, Access, FhirClient]
) -> None:
    for code in laboratory_codes(test):
        held = (an_observation(coded(code), 20, "1", effectiveDateTime=days_ago(1)),)
        found = existing_tests.read_existing_tests(a_record(gathered(way, held, fetching)))
        assert (test in found.done, test in found.not_done) == (True, False), code
