"""The mapping report counts what a site's data would become, and repeats nothing of a patient."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.report.mapping_counts import CountedPerson, Counts, MappingSite, count, of_resources
from fhir_mappings.report.mapping_report import MappingReport, of_counts, report, statuses
from fhir_mappings.report.mapping_report_pages import as_csv, as_html
from fhir_mappings.report.mapping_report_steps import as_text, steps
from fhir_mappings.terminology.code_systems import CPT, ICD_9_CM, LOINC, NDC, SNOMED_CT
from fhir_mappings.terminology.understanding import ABSENT_OR_UNKNOWN, DATA_ABSENT, NULL_FLAVOR
from tests.builders import (
    AS_OF,
    DEMO_MAPS,
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
    searches,
)

CANARY = "CANARY-7731"
SITE = MappingSite(AS_OF, ZONE, DEMO_MAPS)
UNKNOWN = coded(("https://hospital.example/list", "D_7"))
ABSENCE = (
    *(DATA_ABSENT, NULL_FLAVOR, ABSENT_OR_UNKNOWN, f"{DATA_ABSENT}|4.0.1", "urn:oid:2.16.840.1.113883.5.1008"),
    *("http://hl7.org/fhir/data-absent-reason", "http://hl7.org/fhir/v3/NullFlavor"),
)


def whose(patient_id: str) -> dict[str, Any]:
    return {"subject": {"reference": f"Patient/{patient_id}"}}


def reported(*resources: dict[str, Any]) -> MappingReport:
    return report([of_resources(PATIENT_ID, as_json((a_patient(name=[{"text": CANARY}]), *resources)))], SITE)


def test_every_input_is_counted_in_the_status_in_which_it_ends() -> None:
    found = reported(an_observation(value=1.1), an_observation("718-7", 13, "furlongs"))
    assert found.patients == 1
    assert statuses(found)["creatinine"] == {"used": 1}
    assert (("haemoglobin", "rejected", "unit-unknown"), 1) in found.coverage
    assert "procedure_group" not in statuses(found)


def test_codes_that_are_not_understood_are_counted_by_volume_and_people() -> None:
    found = reported(
        an_observation(coded(("urn:site", "CREA")), id="1"),
        an_observation(coded(("urn:site", "CREA")), id="2"),
        an_observation(coded(("urn:site", "CREA"), (LOINC, "2160-0")), id="3"),
        a_condition({"text": f"words {CANARY}"}),
        a_condition(coded(("urn:site", "I50"), (SNOMED_CT, "84114007"))),
        a_medication_request(coded((NDC, "0002-1433"))),
    )
    assert found.unmapped == (
        (("observations", "urn:site", "CREA"), 2),
        (("conditions", "", ""), 1),
        (("medications", NDC, "0002-1433"), 1),
    )
    assert dict(found.people)["unmapped", "observations", "urn:site", "CREA"] == 1
    assert found.systems == (
        (("observations", "system-not-read", "urn:site"), 2),
        (("medications", "code-not-listed", NDC), 1),
    )


def test_a_list_input_is_usable_only_where_every_entry_was_understood() -> None:
    people = [
        of_resources(
            name, as_json((a_patient(id=name), *(a_condition(one, id=str(one), **whose(name)) for one in codes)))
        )
        for name, codes in (
            ("a", ["M54.50"]),
            ("b", [UNKNOWN]),
            ("c", ["E11.9", UNKNOWN]),
            ("d", [UNKNOWN, {"text": "x"}]),
        )
    ]
    found = report(people, SITE)
    assert statuses(found)["diabetes"] == {"used": 2, "range": 2}
    assert statuses(found)["copd"] == {"used": 1, "range": 3}
    assert statuses(found)["hfrs_points"]["range"] == 3
    assert (("copd", "range", "not-understood"), 3) in found.coverage
    assert dict(found.per_person) == {("conditions", "1"): 2, ("conditions", "2"): 1}
    assert dict(found.entries) == {
        ("conditions", "read"): 6,
        ("conditions", "understood"): 2,
        ("conditions", "not-understood"): 4,
        ("conditions", "system-not-read"): 3,
        ("conditions", "words-only"): 1,
    }
    people_of = dict(found.people)
    assert people_of["whole", "conditions"] == people_of["whole", ""] == 1
    assert people_of["entries", "conditions", "not-understood"] == 3
    page = as_html(found)
    for figure in ("4 (67 %)", "1 (25 %)", "code system not read 3 (3 people)"):
        assert figure in page


@pytest.mark.parametrize("system", ABSENCE)
def test_a_reason_why_there_is_no_code_is_never_a_code_to_map(system: str) -> None:
    concept = coded((system, "unknown"))
    kinds = (
        a_condition(concept),
        an_observation(concept),
        a_medication_request(concept),
        a_procedure(system, "unknown"),
    )
    found = reported(*kinds)
    assert found.unmapped == found.systems == ()
    assert {key for (key, why), _ in found.entries if why in ("masked", "unread")} == {
        "conditions",
        "observations",
        "medications",
        "procedures",
    }
    assert system not in as_html(found) + as_csv(found)


def test_a_code_of_diagnoses_under_an_operation_is_a_code_to_map() -> None:
    found = reported(a_procedure(ICD_9_CM, "81.08"), a_condition(coded((ICD_9_CM, "810.8"))))
    assert [keys for keys, _ in found.unmapped] == [("procedures", ICD_9_CM, "81.08")]


WORDS = f"{CANARY} fell down the stairs"


@pytest.mark.parametrize(
    "resource",
    [
        a_condition({"text": WORDS}),
        a_condition({"text": WORDS, "coding": [{"display": WORDS}]}),
        a_condition({"coding": [{"system": "urn:site", "code": WORDS, "display": WORDS}]}),
        a_condition({"coding": [{"system": WORDS, "code": "X1", "display": WORDS}]}),
        an_observation(coded(("urn:site", WORDS))),
        an_observation({"coding": [{"system": WORDS, "code": WORDS}]}),
        an_observation("718-7", 13, WORDS),
        an_observation("718-7", 13, WORDS[:20]),
        a_medication_request({"coding": [{"system": "urn:site", "code": WORDS}], "text": WORDS}),
        a_procedure("urn:site", WORDS),
        an_order(("urn:site", WORDS)),
        an_order((WORDS, "X1")),
        {"resourceType": "Condition", "subject": {"display": WORDS}, "code": {"text": WORDS}},
    ],
)
def test_no_words_reach_the_report_wherever_they_stand(resource: dict[str, Any]) -> None:
    found = reported(resource)
    told = as_html(found) + as_csv(found) + " ".join(map(as_text, steps(found)))
    assert CANARY not in told
    assert "fell down" not in told


def test_reports_are_counted_only_where_the_site_says_what_they_conclude() -> None:
    no_maps = MappingSite(AS_OF, ZONE)
    whole = as_json((a_patient(), {"resourceType": "DiagnosticReport", "status": "final", **whose(PATIENT_ID)}))
    found = report([of_resources(PATIENT_ID, whole)], no_maps)
    assert statuses(found)["spondylolisthesis"] == {"used": 1}
    assert not found.entries


def test_people_without_a_patient_resource_are_counted_and_not_read() -> None:
    found = report([of_resources("x", as_json([an_observation(**whose("x"))]))], SITE)
    assert (found.patients, found.people_without_patient, found.nothing_read) == (0, 1, True)


def test_units_that_were_refused_or_assumed_are_counted_for_every_result() -> None:
    found = reported(
        *(an_observation("718-7", 13, "furlongs", id=f"o-{number}") for number in range(3)),
        an_observation("2160-0", None, valueQuantity={"value": 97}),
    )
    assert found.units == (
        (("haemoglobin", "furlongs", "unit-unknown"), 3),
        (("creatinine", "", "unit-assumed"), 1),
    )


def test_orders_are_counted_by_outcome_and_the_coverage_is_by_volume() -> None:
    found = reported(
        an_order((CPT, "22633"), id="a"),
        an_order((CPT, "27447"), id="b"),
        an_order((CPT, "72148"), id="c"),
        an_order(id="d", code={"text": CANARY}),
        {"resourceType": "ProcedureRequest", "id": "e", "subject": {"reference": f"Patient/{PATIENT_ID}"}},
    )
    assert dict(found.orders) == {
        ("spine-fusion", CPT, "22633"): 1,
        ("unmapped-procedure", CPT, "27447"): 1,
        ("not-surgical", CPT, "72148"): 1,
        ("unmapped-procedure", "", ""): 1,
        ("fhir-version-unsupported", "", ""): 1,
    }
    assert found.order_coverage == 0.25


def test_a_patient_whose_data_are_another_ones_is_set_aside() -> None:
    found = reported(an_observation(subject={"reference": "Patient/somebody-else"}))
    assert (found.patients, found.unreadable_patients) == (0, 1)


def test_the_progress_is_told() -> None:
    told: list[int] = []
    people = [of_resources(f"p-{number}", as_json([a_patient(id=f"p-{number}")])) for number in range(3)]
    report(people, SITE, progress=told.append)
    assert told == [1, 2, 3]


def test_page_and_csv_hold_counts_and_nothing_of_a_patient() -> None:
    found = reported(
        a_condition({"text": CANARY}),
        an_observation(coded(("urn:<b>", "=cmd()")), id="1"),
        an_observation("718-7", 12.345678, "furlongs"),
    )
    page, rows = as_html(found), as_csv(found)
    for text in (page, rows):
        assert CANARY not in text
        assert PATIENT_ID not in text
        assert "12.345678" not in text
    assert "<b>" not in page + rows
    assert "unit not recognised" in page
    assert "cmd()" not in page + rows
    assert "unmapped,observations,no known form,not a code,1,1" in rows


def test_counts_of_several_machines_add_up_to_those_of_one() -> None:
    people = [
        of_resources(PATIENT_ID, as_json((a_patient(), an_observation("718-7", number, "furlongs", id=f"o-{number}"))))
        for number in range(5)
    ]
    parts = []
    for some in (people[:2], people[2:]):
        counts = Counts()
        for person in some:
            count(counts, person, SITE)
        parts.append(counts)
    assert of_counts(parts[0].add(parts[1]), SITE) == report(people, SITE)


def test_searches_that_failed_or_were_cut_short_are_told() -> None:
    results = searches(a_patient(), labs=SearchResult(failure="not-authorised"))
    results["conditions"] = SearchResult(truncated=True)
    found = report([CountedPerson(PATIENT_ID, results)], SITE)
    assert found.searches == ((("conditions", "truncated"), 1), (("labs", "not-authorised"), 1))
    assert "access not granted" in as_html(found)


def test_an_appointment_is_an_order_too() -> None:
    booked = {
        "resourceType": "Appointment",
        "id": "a",
        "status": "booked",
        "serviceType": [coded((CPT, "22633"))],
        "participant": [{"actor": {"reference": f"Patient/{PATIENT_ID}"}, "status": "accepted"}],
    }
    assert dict(reported(booked).orders) == {("spine-fusion", CPT, "22633"): 1}


def test_of_how_many_a_diagnosis_holds_is_told_and_what_nobody_has() -> None:
    found = reported(a_condition("E11.9"))
    assert (("diabetes",), 1) in found.present
    assert not any(keys == ("copd",) for keys, _ in found.present)
    page = as_html(found)
    assert "ASA class" in page.partition("No patient has a result for ")[2].partition(":")[0]
    assert "present,diabetes,,,1" in as_csv(found)
