"""Patient-reported outcomes, imaging and genetics are features by the same rules; genetics never feed a score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import models_onnx
from fhir_mappings.features import features
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.patient import patient_record
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CONCEPT, LOINC
from fhir_mappings.terminology.concept_maps import ConceptMaps
from tests.builders import (
    AS_OF,
    PATIENT_ID,
    ZONE,
    a_condition,
    a_patient,
    a_planned_procedure,
    a_quantity,
    an_answer,
    an_observation,
    coded,
    date_ago,
    derived,
    searches,
)

SITE = "https://radiology.example/codes"
MAPS = ConceptMaps(
    {
        (SITE, "STENOSIS"): ((CONCEPT, "lumbar-stenosis-grade"),),
        (SITE, "SEVERE"): ((CONCEPT, "lumbar-stenosis-severe"),),
        (SITE, "MILD"): ((CONCEPT, "lumbar-stenosis-mild"),),
        (SITE, "SLIP"): ((CONCEPT, "spondylolisthesis"),),
        (SITE, "CT-L1"): ((CONCEPT, "vertebral-attenuation"),),
    }
)


def a_report(*conclusions: str, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "dr-1",
        "status": "final",
        "code": coded((LOINC, "18748-4")),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": date_ago(30),
        "conclusion": "severe stenosis, in words that nobody reads",
        "conclusionCode": [coded((SITE, code)) for code in conclusions],
        **members,
    }


@pytest.mark.parametrize(
    ("observation", "name", "value"),
    [
        (an_observation("97909-6", 44, "%"), "oswestry_index", 44),
        (an_observation("72514-3", None, valueInteger=7), "pain_score", 7),
        (an_observation("72514-3", 0, "{score}"), "pain_score", 0),
        (an_observation("71971-6", 39.8, "{T-score}"), "promis_physical_health", 39.8),
        (an_observation("38267-1", -2.7, "{T-score}"), "bone_density_t_score", -2.7),
        (an_observation(coded((SITE, "CT-L1")), None, valueQuantity={"value": 95, "unit": "HU"}),
         "vertebral_attenuation", 95),
    ],
)  # fmt: skip
def test_a_reported_outcome_or_an_imaging_number_is_told(observation: Any, name: str, value: float) -> None:
    found = derived(observation, maps=MAPS)[name]
    assert (found.status, found.value) == ("used", value)


@pytest.mark.parametrize(("name", "code", "value"), [("oswestry_index", "97909-6", 144), ("pain_score", "72514-3", 11)])
def test_a_score_outside_its_scale_is_rejected(name: str, code: str, value: float) -> None:
    found = derived(an_observation(code, None, valueQuantity=a_quantity(value, "1")))[name]
    assert (found.status, found.reason) == ("rejected", "implausible")


@pytest.mark.parametrize(
    ("resource", "value", "reason"),
    [
        (an_answer(coded((SITE, "STENOSIS")), (SITE, "SEVERE")), "severe", None),
        (a_report("SEVERE"), "severe", None),
        (a_report("SEVERE", effectiveDateTime=date_ago(366)), None, "never-recorded"),
        (a_report("SEVERE", status="preliminary"), None, "never-recorded"),
        (a_report("SEVERE", status="unknown"), None, "not-understood"),
        (a_report("SEVERE", status=None), None, "not-understood"),
        (a_report("SEVERE", status="entered-in-error"), None, "never-recorded"),
        (a_report("SEVERE", "MILD"), None, "two-concepts"),
        (a_report(), None, "not-understood"),
    ],
)
def test_the_grade_of_stenosis_is_the_sites_item_or_a_coded_conclusion(
    resource: Any, value: str | None, reason: str | None
) -> None:
    found = derived(resource, maps=MAPS)["lumbar_stenosis_grade"]
    assert (found.value, found.reason) == (value, reason)


SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
LABORATORY = coded((SECTION, "LAB"))


@pytest.mark.parametrize(
    ("category", "reason"),
    [
        ([LABORATORY], "never-recorded"),
        ([coded((SECTION, "HM"), (SECTION, "CH")), LABORATORY], "never-recorded"),
        ([coded(("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"))], "never-recorded"),
        ([LABORATORY, coded((SECTION, "RAD"))], "not-understood"),
        ([coded((SECTION, "LAB"), (SITE, "MRI"))], "not-understood"),
        ([coded((SECTION, "SP"))], "not-understood"),  # surgical pathology: it may be of a vertebra
        ([{"text": "Laboratory"}], "not-understood"),
        (["LAB"], "not-understood"),
        ([], "not-understood"),
        (LABORATORY, "not-understood"),
        (None, "not-understood"),
    ],
)
@pytest.mark.parametrize("report", [a_report(), a_report("OTHER"), a_report(status="unknown")])
def test_a_report_of_the_laboratory_concludes_nothing_of_the_spine(report: Any, category: Any, reason: str) -> None:
    found = derived(report if category is None else report | {"category": category}, maps=MAPS)
    assert found["lumbar_stenosis_grade"].reason == reason
    assert (found["spondylolisthesis"].value is False) == (reason == "never-recorded")
    both = derived(a_report("SEVERE", category=category), maps=MAPS)["lumbar_stenosis_grade"]
    assert both.value == "severe"


def test_without_a_map_the_grade_says_so() -> None:
    assert derived(maps=concept_maps.EMPTY)["lumbar_stenosis_grade"].reason == "no-site-map"


def test_spondylolisthesis_is_a_diagnosis_or_a_coded_conclusion() -> None:
    assert derived(a_condition("M43.16"))["spondylolisthesis"].source == "Condition/c-M43.16"
    assert derived(a_report("SLIP"), maps=MAPS)["spondylolisthesis"].source == "DiagnosticReport/dr-1"
    assert derived()["spondylolisthesis"].value is False


@pytest.mark.parametrize(("answer", "value"), [("LA9633-4", True), ("LA9634-2", False)])
def test_a_genetic_result_is_told_with_its_source(answer: str, value: bool) -> None:
    found = derived(an_answer("69548-6", (LOINC, answer), effectiveDateTime="2011-05-02"))["genetic_finding"]
    assert (found.value, found.source) == (value, "Observation/o-69548-6")


def test_no_model_reads_a_genetic_result() -> None:
    cards = list(Path(models_onnx.__file__).parent.rglob("card.yaml"))
    inputs = {one["name"] for path in cards for one in yaml.safe_load(path.read_text())["inputs"]}
    assert cards
    assert not any("genetic" in name for name in inputs)


def test_the_maps_of_these_tests_are_maps() -> None:
    assert concept_maps.vocabulary(concept_maps.STANDARD, MAPS).ideas(SITE, "SLIP") == ("spondylolisthesis",)


REPORTS_FAILED = {"reports": SearchResult(failure="not-authorised", supplied="fetched")}


def test_a_failed_search_for_reports_costs_what_only_reports_tell_and_nothing_else() -> None:
    found = derived(an_observation(), maps=MAPS, **REPORTS_FAILED)
    assert (found["lumbar_stenosis_grade"].status, found["lumbar_stenosis_grade"].reason) == (
        "missing",
        "not-authorised",
    )
    assert (found["spondylolisthesis"].status, found["spondylolisthesis"].reason) == ("missing", "not-authorised")
    assert (found["creatinine"].status, found["diabetes"].value) == ("used", False)


def test_a_site_that_maps_conclusions_only_has_a_grade_too() -> None:
    maps = ConceptMaps({(SITE, "SEVERE"): ((CONCEPT, "lumbar-stenosis-severe"),)})
    assert derived(maps=maps)["lumbar_stenosis_grade"].reason == "never-recorded"
    assert derived(a_report("SEVERE"), maps=maps)["lumbar_stenosis_grade"].value == "severe"


def test_what_other_sources_tell_needs_no_report() -> None:
    graded = an_answer(coded((SITE, "STENOSIS")), (SITE, "SEVERE"))
    found = derived(graded, a_condition("M43.16"), maps=MAPS, **REPORTS_FAILED)
    assert (found["lumbar_stenosis_grade"].value, found["spondylolisthesis"].value) == ("severe", True)


def test_reports_that_were_never_asked_for_are_no_gap() -> None:
    results = {key: found for key, found in searches(a_patient()).items() if key != "reports"}
    record = patient_record.read_record(results, patient_id=PATIENT_ID, as_of=AS_OF, zone=ZONE)
    assert features.derive(record, a_planned_procedure())["spondylolisthesis"].value is False
