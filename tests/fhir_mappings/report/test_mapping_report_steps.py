"""The report tells first what is not understood of most people, and what to do about it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.report import mapping_report
from fhir_mappings.report.mapping_counts import CountedPerson, MappingSite, of_resources
from fhir_mappings.report.mapping_report import MappingReport, report
from fhir_mappings.report.mapping_report_pages import as_html
from fhir_mappings.report.mapping_report_steps import Step, as_text, steps
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CPT, ICD_10_CM, LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMaps
from fhir_mappings.terminology.understanding import Why
from tests.builders import (
    AS_OF,
    PATIENT_ID,
    ZONE,
    a_condition,
    a_medication_request,
    a_patient,
    a_procedure,
    an_observation,
    as_json,
    coded,
    searches,
)

SITE = MappingSite(AS_OF, ZONE)
PRIVATE = "https://hospital.example/icd10"
GERMAN = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"


def of_people(*people: list[dict[str, Any]], maps: ConceptMaps | None = None) -> MappingReport:
    def person(number: int, resources: list[dict[str, Any]]) -> CountedPerson:
        name = f"p-{number}"
        mine = (
            {**one, "id": f"{name}-{n}", "subject": {"reference": f"Patient/{name}"}} for n, one in enumerate(resources)
        )
        return of_resources(name, as_json((a_patient(id=name), *mine)))

    site = MappingSite(AS_OF, ZONE, maps) if maps else SITE
    return report([person(number, one) for number, one in enumerate(people)], site)


def first(*resources: dict[str, Any]) -> Step:
    return steps(of_people(list(resources)))[0]


def private(code: str = "I50.9") -> dict[str, Any]:
    return a_condition(coded((PRIVATE, code)))


def test_a_system_that_is_not_read_is_told_first_with_entries_people_and_the_alias() -> None:
    found = of_people([private(), private("E11.9")], [private()])
    step = steps(found)[0]
    assert step.found == (
        f"No diagnosis is read: 3 of 3 diagnoses of 2 people (everybody) are coded in {PRIVATE}, which is not read: "
        "I50.9 (2, of 2 people), E11.9 (1, of 1 person)."
    )
    assert step.write == f"code_systems: {{{PRIVATE}: icd-10-gm}}"
    assert f"--code-system {PRIVATE} icd-10-gm" in step.remedy
    page = as_html(found)
    assert page.index("What to do next") < page.index("No diagnosis is read") < page.index("Map the site")


def test_the_remedy_cures() -> None:
    maps = concept_maps.load([], code_systems={PRIVATE: "icd-10-gm"})
    cured = of_people([private(), private("E11.9")], [private()], maps=maps)
    assert not any("diagnos" in step.found for step in steps(cured))


def test_what_concerns_most_people_comes_first_however_many_entries_another_has() -> None:
    few = [a_procedure("urn:proc", f"P{number}") for number in range(9)]
    found = steps(of_people([*few, private()], [private()], [a_condition("M54.50")]))
    assert [step.people for step in found[:2]] == [2, 1]
    assert "2 of 3 diagnoses of 2 people (67 %) are coded in" in found[0].found
    assert "No procedure is read: 9 of 9 procedures of 1 person (33 %)" in found[1].found
    assert "and 4 more codes" in found[1].found


@pytest.mark.parametrize(
    ("resource", "found", "remedy"),
    [
        (private("KH-1"), "which is not read: KH-1", "Write a ConceptMap"),
        (a_condition(coded((SNOMED_CT, "1"))), f"of {SNOMED_CT} in no list: 1 (1, of 1 person)", "terminology server"),
        (a_condition(coded((ICD_10_CM, "U99"))), "in no list: U99", "no checked row"),
        (a_medication_request(coded(("urn:drugs", "C07AB02"))), "C07AB02", "say so in the tenant's file"),
        (a_medication_request(coded(("urn:drugs", "4711"))), "4711", "Write a ConceptMap"),
        (a_procedure("urn:ops", "5-831.0"), "5-831.0", "Write a ConceptMap"),
        (an_observation(coded(("urn:lab", "2160-0"))), "coded in urn:lab", "--code-system urn:lab loinc"),
        (a_condition({"text": "words"}), "1 of 1 diagnosis of 1 person (everybody) has no code, only words", "source"),
        (an_observation({"text": "words"}), "1 result of 1 person (everybody) has no code", "source"),
        (
            a_condition(coded(("http://terminology.hl7.org/CodeSystem/data-absent-reason", "masked"))),
            "is withheld",
            "may see them",
        ),
        (a_condition(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]), "modifierExtension", "without"),
        (a_condition(recordedDate=7), "cannot be read", "FHIR R4"),
    ],
)
def test_each_reason_has_its_remedy(resource: dict[str, Any], found: str, remedy: str) -> None:
    step = first(resource)
    assert found in step.found
    assert remedy in step.remedy


@pytest.mark.parametrize(
    "resource",
    [
        a_condition(coded(("http://hl7.org/fhir/sid/icpc-2", "K77"))),  # heart failure; ICD-10's K77 is of the liver
        a_condition(coded(("urn:oid:2.16.840.1.113883.2.4.4.31.1", "T90.02"))),  # ICPC-1-NL
        a_procedure("https://mos.esante.gouv.fr/NOS/TRE_R38-CCAM", "LHFA016"),
    ],
)
def test_no_line_is_told_that_would_read_a_system_as_another(resource: dict[str, Any]) -> None:
    step = first(resource)
    assert "which is not read" in step.found
    assert step.write == ""
    assert "say so" not in step.remedy


@pytest.mark.parametrize("code", [(SNOMED_CT, "1000731000000107"), (CPT, "82565"), (LOINC, "KREA")])
def test_results_in_codes_of_no_list_are_told(code: tuple[str, str]) -> None:
    told = " ".join(step.found for step in steps(of_people([an_observation(coded(code))])))
    assert f"result of 1 person (everybody) has a code of {code[0]} in no list: {code[1]}" in told


def test_what_the_server_counts_and_does_not_send_is_told() -> None:
    results = searches(a_patient(), a_condition("M54.50"))
    results["conditions"] = SearchResult(resources=results["conditions"].resources, not_sent=7)
    step = steps(report([CountedPerson(PATIENT_ID, results)], SITE))[0]
    assert "7 of 8 diagnoses of 1 person (everybody) are counted by the server and did not come" in step.found


@pytest.mark.parametrize("why", get_args(Why))
@pytest.mark.parametrize("key", ["conditions", "medications", "procedures", "reports", "observations"])
def test_no_reason_is_without_a_step_in_any_list(why: str, key: str) -> None:
    systems = ((((key, why, "urn:x"), 2),)) if why in ("system-not-read", "code-not-listed") else ()
    people = tuple((one, 1) for one in (("entries", key, why), *(("systems", *keys) for keys, _ in systems)))
    empty = of_people()
    made = {"patients": 1, "entries": (((key, why), 2),), "systems": systems, "people": people}
    fields = {name: made.get(name, getattr(empty, name)) for name in MappingReport.__struct_fields__}
    step = steps(MappingReport(**fields))[0]
    assert step.people == 1
    assert step.remedy
    assert as_text(step).startswith(step.found)


def test_a_page_of_very_many_codes_shows_the_first() -> None:
    found = of_people([private(f"A{number:04}") for number in range(3_000)])
    assert "and 2,995 more codes" in steps(found)[0].found
    assert "2,800 more rows in the CSV" in as_html(found)


def _diagnoses_not_understood(found: MappingReport) -> int:
    return dict(found.entries).get(("conditions", "not-understood"), 0)


@pytest.mark.shared
def test_the_german_export_is_read_or_told_first(shared: Path) -> None:
    found = report(mapping_report.of_export(shared / "field" / "mapping-report-german", Counter()), SITE)
    told = steps(found)[0].found.startswith("No diagnosis is read")
    assert told or not _diagnoses_not_understood(found)


@pytest.mark.shared
def test_the_german_export_under_an_unknown_uri_is_told_first_and_the_line_told_cures(
    shared: Path, tmp_path: Path
) -> None:
    for path in (shared / "field" / "mapping-report-german").glob("*.ndjson"):
        (tmp_path / path.name).write_text(path.read_text().replace(GERMAN, PRIVATE))
    found = report(mapping_report.of_export(tmp_path, Counter()), SITE)
    step = steps(found)[0]
    assert step.found.startswith(
        f"No diagnosis is read: 24 of 24 diagnoses of 6 people (everybody) are coded in {PRIVATE}"
    )
    assert step.write == f"code_systems: {{{PRIVATE}: icd-10-gm}}"
    assert json.dumps(dict(mapping_report.statuses(found)["heart_failure"])) == '{"range": 6}'
    cured = MappingSite(AS_OF, ZONE, concept_maps.load([], code_systems={PRIVATE: "icd-10-gm"}))
    assert not _diagnoses_not_understood(report(mapping_report.of_export(tmp_path, Counter()), cured))
