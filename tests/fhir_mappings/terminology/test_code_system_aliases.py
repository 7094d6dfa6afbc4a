"""A site may say that a URI of its own is a code system that is read here: on every path, and never more than that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_mappings.features import queries
from fhir_mappings.orders import pending_orders
from fhir_mappings.orders.procedures import NoProcedure, planned
from fhir_mappings.report.mapping_counts import MappingSite, of_resources
from fhir_mappings.report.mapping_report import report
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CPT, ICD_10, KNOWN, LOINC, NAMES
from fhir_mappings.terminology.concept_maps import DEMO, EMPTY, ConceptMapError, vocabulary
from fhir_mappings.terminology.understanding import why_not_understood
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import (
    AS_OF,
    DEMO_CODES,
    PATIENT_ID,
    ZONE,
    a_condition,
    a_medication_request,
    a_patient,
    a_procedure,
    an_observation,
    an_order,
    as_json,
    coded,
    derived,
)

DIAGNOSES = "https://hospital.example/fhir/CodeSystem/icd"
DRUGS = "urn:oid:1.2.3.4.5.6"
RESULTS = "https://hospital.example/loinc"
OPERATIONS = "https://hospital.example/cpt"
OWN = {DIAGNOSES: "icd-10", DRUGS: "atc", RESULTS: "loinc", OPERATIONS: "cpt"}
MAPS = concept_maps.load([], code_systems=OWN)
WORDS = vocabulary(STANDARD, MAPS)


def test_conditions_medicines_results_and_procedures_are_read_under_an_alias() -> None:
    found = derived(
        a_condition(coded((DIAGNOSES, "I50.9"))),
        a_medication_request(coded((DRUGS, "A10AB05"))),
        an_observation(coded((RESULTS, "718-7")), 13.1, "g/dL"),
        a_procedure(OPERATIONS, "22633"),
        maps=concept_maps.load([DEMO], code_systems=OWN),
    )
    assert found["heart_failure"].value is True
    assert found["insulin"].value is True
    assert found["haemoglobin"].value == 13.1
    assert derived(a_condition(coded((DIAGNOSES, "I50.9"))))["heart_failure"].status == "missing"


@pytest.mark.parametrize(
    "written", [DIAGNOSES, DIAGNOSES + "/", DIAGNOSES + "|2019", DIAGNOSES.replace("https", "http")]
)
def test_an_alias_is_known_however_it_is_written(written: str) -> None:
    assert "heart-failure" in WORDS.ideas(written, "I50.9")
    assert MAPS.canonical(written) == ICD_10


def test_an_alias_makes_no_code_understood_that_its_system_does_not() -> None:
    assert why_not_understood(DIAGNOSES, "K21.9", WORDS) is None
    assert why_not_understood(DIAGNOSES, "E08.9", WORDS) == "code-not-listed"
    assert why_not_understood(DRUGS, "XYZ", WORDS) == "code-not-listed"
    assert why_not_understood(DIAGNOSES + "x", "K21.9", WORDS) == "system-not-read"
    assert why_not_understood(DIAGNOSES, "K21.9", vocabulary(STANDARD, EMPTY)) == "system-not-read"


def test_an_order_under_an_alias_is_classified_and_counted_as_asked_for() -> None:
    local = [an_order((DEMO_CODES, "TLIF-1"))]
    aliased = [an_order((OPERATIONS, "99213"))]
    found = planned(as_json(aliased), patient_id=PATIENT_ID, maps=MAPS)
    assert isinstance(found, NoProcedure)
    assert found.reason == "not-surgical"
    unknown = planned(as_json(local), patient_id=PATIENT_ID, maps=MAPS)
    assert isinstance(unknown, NoProcedure)
    assert unknown.reason == "unmapped-procedure"
    assert pending_orders.pending_in_drafts(as_json(aliased), maps=MAPS).has(CPT, "99213")
    assert pending_orders.pending_in_drafts(as_json(aliased), maps=MAPS).has(OPERATIONS, "99213")


def test_the_mapping_report_counts_no_code_of_an_alias_as_one_to_map() -> None:
    person = of_resources(PATIENT_ID, as_json((a_patient(), a_condition(coded((DIAGNOSES, "K21.9"))))))
    assert report([person], MappingSite(AS_OF, ZONE, MAPS)).unmapped == ()
    assert report([person], MappingSite(AS_OF, ZONE, EMPTY)).unmapped == ((("conditions", DIAGNOSES, "K21.9"), 1),)


def test_searches_ask_for_the_codes_of_an_alias_too() -> None:
    asked = queries.prefetch_templates(MAPS, STANDARD)["labs"]
    assert f"{LOINC}|718-7" in asked
    assert f"{RESULTS}|718-7" in asked


def test_a_map_of_single_codes_of_the_same_uri_is_added(tmp_path: Path) -> None:
    document = json.loads(DEMO.read_text())
    document["group"] = [
        {
            "source": DIAGNOSES,
            "target": ICD_10,
            "element": [{"code": "HF", "target": [{"code": "I50", "equivalence": "equivalent"}]}],
        }
    ]
    path = tmp_path / "map.json"
    path.write_text(json.dumps(document))
    words = vocabulary(STANDARD, concept_maps.load([path], code_systems=OWN))
    assert "heart-failure" in words.ideas(DIAGNOSES, "HF")
    assert "diabetes" in words.ideas(DIAGNOSES, "E11")
    assert why_not_understood(DIAGNOSES, "HF", words) is None


@pytest.mark.parametrize("uri", sorted(KNOWN))
def test_an_alias_adds_and_never_redefines(uri: str) -> None:
    for written in (uri, uri + "|2024", uri.upper()):
        with pytest.raises(ConceptMapError, match="never redefines"):
            concept_maps.load([], code_systems={written: "icd-10"})


def test_the_name_of_no_system_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConceptMapError, match="there are atc, cpt, hcpcs, icd-10, ") as refused:
        concept_maps.load([], code_systems={DIAGNOSES: "icd-11"})
    assert all(name in str(refused.value) for name in NAMES)
    with pytest.raises(ConceptMapError, match="already is nothing"):
        concept_maps.load([], code_systems={"": "icd-10"})
