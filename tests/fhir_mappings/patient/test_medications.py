"""Medicines count by class and only where they are taken now (inputs 6)."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.terminology import drug_classes
from fhir_mappings.terminology.code_systems import ATC, NDC, RXNORM, SNOMED_CT
from fhir_mappings.terminology.listed_codes import is_drug_code
from tests.builders import PATIENT_ID, a_condition, a_medication_request, coded, date_ago, days_ago, derived

APIXABAN, WARFARIN, GLARGINE, ASPIRIN, PREDNISONE, OXYCODONE = "1364430", "11289", "274783", "1191", "8640", "7804"
CLASSES = ("insulin", "anticoagulant", "antiplatelet", "steroid", "opioid")


@pytest.mark.parametrize(
    ("concept", "name"),
    [
        (coded((RXNORM, APIXABAN)), "anticoagulant"),
        (coded((RXNORM, "1364435")), "anticoagulant"),  # a product
        (coded((ATC, "B01AF02")), "anticoagulant"),
        (coded((ATC, "B01AC06")), "antiplatelet"),
        (coded((RXNORM, ASPIRIN)), "antiplatelet"),
        (coded((RXNORM, GLARGINE)), "insulin"),
        (coded((ATC, "A10AE04")), "insulin"),
        (coded((RXNORM, PREDNISONE)), "steroid"),
        (coded((RXNORM, OXYCODONE)), "opioid"),
        (coded((ATC, "N07BC02")), "opioid"),
        (coded((NDC, "0003-0894"), (RXNORM, APIXABAN)), "anticoagulant"),
    ],
)
def test_a_medicine_belongs_to_a_class_by_its_code(concept: Any, name: str) -> None:
    found = derived(a_medication_request(concept))
    assert {one for one in CLASSES if found[one].value is True} == {name}


@pytest.mark.parametrize(
    ("members", "counts"),
    [
        ({}, True),
        *(({"status": status}, False)
          for status in ("on-hold", "completed", "stopped", "cancelled", "draft", "entered-in-error")),
            ({"status": "unknown"}, None),  # nobody knows whether it is taken: neither yes nor none recorded (DEC-37)
        ({"intent": "plan"}, False),
        ({"intent": "proposal"}, False),
        ({"intent": "instance-order"}, True),
        ({"doNotPerform": True}, False),
        ({"category": [coded(("urn:x", "inpatient"))]}, False),
        ({"category": [coded(("urn:x", "outpatient"))]}, True),
        ({"authoredOn": days_ago(-1.1)}, False),
        ({"authoredOn": days_ago(-0.01)}, None),  # by another clock it was just written
        ({"authoredOn": None}, True),
        ({"dispenseRequest": {"validityPeriod": {"end": date_ago(1)}}}, False),
        ({"dispenseRequest": {"validityPeriod": {"end": date_ago(-1)}}}, True),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": date_ago(1)}}}}]}, False),
    ],
)  # fmt: skip
def test_a_prescription_counts_while_it_is_active(members: dict[str, Any], counts: bool | None) -> None:
    assert derived(a_medication_request(APIXABAN, **members))["anticoagulant"].value is counts


def test_an_old_prescription_counts_and_says_so() -> None:
    found = derived(a_medication_request(APIXABAN, authoredOn=days_ago(366)))["anticoagulant"]
    assert (found.value, found.flags) == (True, ("prescribed-over-a-year-ago",))


def a_statement(status: str = "active", code: str = APIXABAN, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement",
        "id": "s-1",
        "status": status,
        "medicationCodeableConcept": coded((RXNORM, code)),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        **members,
    }


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        (a_statement(), True),
        (a_statement("completed"), False),
        (a_statement(effectivePeriod={"start": date_ago(30), "end": date_ago(1)}), False),
        (a_statement(effectivePeriod={"start": date_ago(30)}), True),
        (a_statement(effectiveDateTime=date_ago(-2)), False),
    ],
)
def test_a_statement_counts_while_its_time_includes_the_hook(statement: dict[str, Any], counts: bool) -> None:
    assert derived(statement)["anticoagulant"].value is counts


@pytest.mark.parametrize(("asserted", "counts"), [(days_ago(1), False), (days_ago(60), True)])
def test_not_taken_beats_an_older_prescription_of_the_same_ingredient(asserted: str, counts: bool) -> None:
    found = derived(a_statement("not-taken", dateAsserted=asserted), a_medication_request("1364435"))
    assert found["anticoagulant"].value is counts


@pytest.mark.parametrize(
    ("prescribed", "statement", "value"),
    [
        ({"authoredOn": date_ago(30)}, {"dateAsserted": date_ago(4_000)}, True),  # long before the prescription
        ({"authoredOn": date_ago(30)}, {"dateAsserted": date_ago(30)}, False),
        ({"authoredOn": date_ago(30)}, {"dateAsserted": days_ago(1)}, False),
        ({"authoredOn": None}, {"dateAsserted": days_ago(1)}, None),  # nobody knows which came first
        ({"authoredOn": days_ago(30)}, {"dateAsserted": "2026"}, None),
        ({"authoredOn": days_ago(30)}, {"dateAsserted": days_ago(-5)}, True),  # only said after the hook
        ({"authoredOn": days_ago(30)}, {}, None),
        ({"authoredOn": days_ago(30)}, {"dateAsserted": "gestern"}, None),
        (
            {"authoredOn": days_ago(30)},
            {"dateAsserted": days_ago(1), "effectivePeriod": {"start": "2010-01-01", "end": "2011-01-01"}},
            True,  # in 2010 it was not taken
        ),
    ],
)
def test_not_taken_beats_only_what_was_surely_prescribed_before(
    prescribed: dict[str, Any], statement: dict[str, Any], value: bool | None
) -> None:
    found = derived(a_statement("not-taken", **statement), a_medication_request("1364435", **prescribed))
    assert found["anticoagulant"].value is value
    assert found["insulin"].value is False


def test_several_statements_that_it_is_not_taken_count_by_the_latest() -> None:
    said = [a_statement("not-taken", dateAsserted=day, id=day) for day in (date_ago(900), date_ago(10), "2024")]
    assert derived(*said, a_medication_request(APIXABAN, authoredOn=date_ago(30)))["anticoagulant"].value is False


def test_an_ingredient_that_may_be_of_a_class_and_is_not_taken_leaves_nothing_open() -> None:
    found = derived(a_statement("not-taken", "3264", dateAsserted=days_ago(1)), a_medication_request("3264"))
    assert [found[name].value for name in CLASSES] == [False] * 5


def test_not_taken_of_another_ingredient_changes_nothing() -> None:
    found = derived(a_statement("not-taken", WARFARIN, dateAsserted=days_ago(1)), a_medication_request(APIXABAN))
    assert found["anticoagulant"].value is True


@pytest.mark.parametrize(
    "concept",
    [{"text": "blood thinner"}, coded((NDC, "0003-0894")), coded(("urn:local", "APIX")), {"coding": [{"code": "x"}]}],
)
def test_a_medicine_of_unknown_class_makes_the_list_incomplete(concept: Any) -> None:
    found = derived(a_medication_request(concept))
    assert {(found[name].status, found[name].reason) for name in CLASSES} == {("missing", "not-understood")}
    both = derived(a_medication_request(concept), a_medication_request(WARFARIN))
    assert both["anticoagulant"].value is True
    assert both["insulin"].reason == "not-understood"


def test_an_unlisted_code_is_another_drug_unless_its_display_names_an_ingredient() -> None:
    other = {"coding": [{"system": RXNORM, "code": "99999999"}]}
    named = {"coding": [{"system": RXNORM, "code": "99999999", "display": "Warfarin 7 MG Oral Tablet"}]}
    assert derived(a_medication_request(other))["anticoagulant"].value is False
    found = derived(a_medication_request(named))
    assert found["anticoagulant"].reason == "not-understood"
    assert found["insulin"].value is False


@pytest.mark.parametrize(
    ("route", "value", "reason"),
    [("26643006", True, None), ("54485002", False, None), (None, None, "not-understood")],
)
def test_an_ingredient_whose_class_hangs_on_the_form_needs_a_route(
    route: str | None, value: bool | None, reason: str | None
) -> None:
    dosage = [{"route": coded((SNOMED_CT, route))}] if route else []
    found = derived(a_medication_request("3264", dosageInstruction=dosage))["steroid"]  # dexamethasone
    assert (found.value, found.reason) == (value, reason)


def by_reference(reference: str, **members: Any) -> dict[str, Any]:
    return a_medication_request(medicationCodeableConcept=None, medicationReference={"reference": reference}, **members)


MEDICATION = {"resourceType": "Medication", "id": "med-1", "code": coded((RXNORM, APIXABAN))}


@pytest.mark.parametrize(
    ("resources", "value", "reason"),
    [
        ([by_reference("#med-1", contained=[MEDICATION])], True, None),
        ([by_reference("#med-1", contained=[{"resourceType": "Practitioner", "id": "med-1"}])], None, "not-understood"),
        ([by_reference("Medication/med-1"), MEDICATION], True, None),
        ([by_reference("https://ehr.example/fhir/Medication/med-1/_history/2"), MEDICATION], True, None),
        ([by_reference("urn:uuid:med-1"), MEDICATION], True, None),
        ([by_reference("Medication/elsewhere"), MEDICATION], None, "not-understood"),
        ([by_reference("Medication/med-2"),
          {"resourceType": "Medication", "id": "med-2",
           "ingredient": [{"itemCodeableConcept": coded((RXNORM, WARFARIN))}]}], True, None),
    ],
)  # fmt: skip
def test_a_medicine_by_reference_is_looked_for_where_it_can_be(
    resources: list[Any], value: bool | None, reason: str | None
) -> None:
    found = derived(*resources)["anticoagulant"]
    assert (found.value, found.reason) == (value, reason)


@pytest.mark.parametrize(
    ("code", "name"),
    [("Z79.4", "insulin"), ("Z79.01", "anticoagulant"), ("Z79.02", "antiplatelet"), ("Z79.82", "antiplatelet"),
     ("Z79.52", "steroid"), ("Z79.891", "opioid")],
)  # fmt: skip
def test_a_diagnosis_of_long_term_use_says_the_same(code: str, name: str) -> None:
    assert derived(a_condition(code))[name].value is True


@pytest.mark.parametrize("code", ["Z79.84", "Z79.85", "Z79.51", "F11.20"])
def test_a_neighbouring_code_does_not(code: str) -> None:
    found = derived(a_condition(code))
    assert [found[name].value for name in CLASSES] == [False] * 5


@pytest.mark.parametrize(
    ("resources", "value", "reason"),
    [
        ([a_condition("I10"), a_medication_request("29046")], True, None),
        ([a_condition("I10")], False, None),
        ([a_medication_request("29046")], False, None),
        ([a_condition("I10"), a_medication_request({"text": "water pill"})], None, "not-understood"),
        ([a_medication_request({"text": "water pill"})], False, None),
    ],
)
def test_hypertension_counts_where_it_is_treated(resources: list[Any], value: Any, reason: str | None) -> None:
    found = derived(*resources)["hypertension_on_medication"]
    assert (found.value, found.reason) == (value, reason)


def test_a_failed_search_leaves_open_what_the_other_does_not_answer() -> None:
    failed = SearchResult(failure="fetch-failed")
    assert derived(medications=failed)["insulin"].reason == "fetch-failed"
    assert derived(a_condition("Z79.4"), medications=failed)["insulin"].value is True
    assert derived(medications=failed)["hypertension_on_medication"].value is False


@pytest.mark.shared
def test_the_table_of_rxnorm_classes_is_the_reference_material(shared: Path) -> None:
    """Every row, without the product names, which are not shipped."""
    with (shared / "clinical" / "rxnorm-classes.csv").open(encoding="utf-8", newline="") as lines:
        members = ("code", "ingredient", "class", "atc", "trust")
        reference = {tuple(row[name] for name in members) for row in csv.DictReader(lines)}
    path = Path(drug_classes.__file__).with_name("rxnorm_classes.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        shipped = {tuple(row.values()) for row in csv.DictReader(line for line in lines if line[0] != "#")}
    assert shipped == reference
    assert len(shipped) > 5_000


@pytest.mark.parametrize(
    ("system", "code", "valid"),
    [
        (ATC, "A10BA02", True),
        (ATC, " a10ba02 ", True),
        (ATC, "C09", True),
        (ATC, "V", True),
        (ATC, "XYZ", False),
        (ATC, "A10BA2", False),
        (ATC, "E10BA02", False),
        (ATC, "A10BA021", False),
        (ATC, "QA10BA02", False),
        ("http://fhir.de/CodeSystem/bfarm/atc", "A10BA02", True),
        ("http://fhir.de/CodeSystem/bfarm/atc", "A10.BA", False),
        (RXNORM, "6809", True),
        (RXNORM, "99999999", True),
        (RXNORM, "ABC", False),
        (RXNORM, "123456789", False),
        (RXNORM, "0", False),
        (RXNORM, "68-09", False),
    ],
)
def test_another_drug_has_a_valid_code(system: str, code: str, valid: bool) -> None:
    """DEC-37: a code that is none says nothing, and nothing is known to be absent by it."""
    insulin = derived(a_medication_request(coded((system, code))))["insulin"]
    assert (insulin.value is False) == valid
    assert (insulin.status == "missing") != valid
    assert is_drug_code(ATC if "atc" in system else system, code) == valid
