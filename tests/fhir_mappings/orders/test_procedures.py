"""The code of an order, and nothing else, decides what is to be done (messy cases 6 to 10 and 39)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.fhir.decode_resources import WrongPatientError
from fhir_mappings.orders.procedures import NoProcedure, PlannedProcedure, planned
from fhir_mappings.terminology.code_systems import CPT, HCPCS, ICD_10_CM, ICD_10_PCS, LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import EMPTY
from tests.builders import DEMO_CODES, DEMO_MAPS, PATIENT_ID, an_order, as_json, coded

SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
LABORATORY = [coded((SNOMED_CT, "108252007"))]
SURGERY = [coded((SNOMED_CT, "387713003"))]


def outcome(*orders: dict[str, Any]) -> str | list[str]:
    """The groups of the operations found, or why there is none."""
    found = planned(as_json(orders), patient_id=PATIENT_ID, maps=DEMO_MAPS)
    return found.reason if isinstance(found, NoProcedure) else [one.group for one in found]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([(ICD_10_PCS, "0SG00AJ")], ["spine-fusion"]),
        ([("http://hl7.org/fhir/sid/icd-10-pcs", "0SG00AJ")], ["spine-fusion"]),
        ([(CPT, "22633")], ["spine-fusion"]),
        ([(SNOMED_CT, "55705006")], ["spine-fusion"]),
        ([(DEMO_CODES, "OR-HIP")], ["hip-arthroplasty"]),
        ([(CPT, "22633"), (CPT, "63047")], ["spine-fusion"]),  # a fusion with its add-on decompression
        ([(CPT, "63047"), (CPT, "22633")], ["spine-fusion"]),
        ([(CPT, "22633"), (SNOMED_CT, "55705006"), ("urn:oid:1.2.3", "EAP-7")], ["spine-fusion"]),
        ([(CPT, "22633"), (SNOMED_CT, "387731002")], "procedure-ambiguous"),
        ([(SNOMED_CT, "387731002"), (CPT, "22633")], "procedure-ambiguous"),
        ([("urn:oid:1.2.3", "EAP-7")], "unmapped-procedure"),
        ([(CPT, "27447")], "unmapped-procedure"),
        ([(CPT, "72148")], "not-surgical"),
        ([(CPT, "80053")], "not-surgical"),
        ([(CPT, "99213")], "not-surgical"),
        ([(HCPCS, "J1885")], "not-surgical"),
        ([(LOINC, "2160-0")], "not-surgical"),
        ([(ICD_10_PCS, "BR39ZZZ")], "not-surgical"),
        ([(ICD_10_PCS, "0WJG4ZZ")], "unmapped-procedure"),
    ],
)
def test_the_code_decides_the_group(codes: list[tuple[str, str]], expected: Any) -> None:
    assert outcome(an_order(*codes)) == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"status": "on-hold"}, ["spine-fusion"]),
        ({"status": "active"}, ["spine-fusion"]),
        ({"intent": "plan"}, ["spine-fusion"]),
        ({"intent": "original-order"}, ["spine-fusion"]),
        ({"subject": None}, ["spine-fusion"]),
        ({"subject": {"reference": f"https://ehr.example/fhir/Patient/{PATIENT_ID}"}}, ["spine-fusion"]),
        ({"status": "revoked"}, "not-surgical"),
        ({"status": "entered-in-error"}, "not-surgical"),
        ({"doNotPerform": True}, "not-surgical"),
        ({"code": {"text": "L4-5 TLIF"}}, "unmapped-procedure"),
        ({"code": None}, "unmapped-procedure"),
        ({"code": {"text": "CBC"}, "category": LABORATORY}, "not-surgical"),
        ({"code": {"text": "Fusion"}, "category": SURGERY}, "unmapped-procedure"),
        ({"status": 7}, "unmapped-procedure"),  # cannot be read, and could be an operation
    ],
)
def test_status_and_category_decide_whether_it_is_an_operation(members: dict[str, Any], expected: Any) -> None:
    assert outcome(an_order(**members)) == expected


CODE = coded((ICD_10_PCS, "0SG00AJ"))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "ProcedureRequest", "intent": "order", "code": CODE}, ["spine-fusion"]),  # STU3
        ({"resourceType": "ReferralRequest", "intent": "order", "serviceRequested": [CODE]}, ["spine-fusion"]),
        ({"resourceType": "ProcedureRequest", "code": CODE}, "fhir-version-unsupported"),  # DSTU2
        ({"resourceType": "ServiceRequest", "code": {"concept": CODE}}, "fhir-version-unsupported"),  # R5
        ({"resourceType": "Appointment", "status": "proposed", "serviceType": [CODE]}, ["spine-fusion"]),
        ({"resourceType": "Appointment", "status": "proposed", "reasonCode": [CODE]}, ["spine-fusion"]),
        ({"resourceType": "Appointment", "status": "cancelled", "serviceType": [CODE]}, "not-surgical"),
        ({"resourceType": "Procedure", "status": "preparation", "code": CODE, "subject": SUBJECT}, ["spine-fusion"]),
        ({"resourceType": "Procedure", "status": "completed", "code": CODE, "subject": SUBJECT}, "not-surgical"),
        ({"resourceType": "MedicationOrder"}, "not-surgical"),
        ({"resourceType": "MedicationRequest"}, "not-surgical"),
        ({"resourceType": "DeviceRequest"}, "not-surgical"),
        ({"resourceType": "NutritionOrder"}, "not-surgical"),
    ],
)
def test_orders_come_in_several_shapes(resource: dict[str, Any], expected: Any) -> None:
    assert outcome({"id": "x", **resource}) == expected


def test_of_several_operations_the_gravest_comes_first() -> None:
    decompression = an_order((CPT, "63047"), id="a")
    fusion = an_order((CPT, "22633"), id="b")
    medicine = {"resourceType": "MedicationRequest", "id": "m"}
    assert outcome(decompression, medicine, fusion) == ["spine-fusion", "spine-decompression"]


def test_one_readable_operation_is_enough() -> None:
    older = {"resourceType": "ProcedureRequest", "id": "old", "code": CODE}
    assert outcome(older, an_order()) == ["spine-fusion"]
    assert outcome(older, an_order((CPT, "27447"))) == "unmapped-procedure"


@pytest.mark.parametrize("reference", ["Patient/somebody-else", "https://ehr.example/fhir/Patient/x/_history/1"])
def test_an_order_for_another_patient_stops_everything(reference: str) -> None:
    with pytest.raises(WrongPatientError):
        outcome(an_order(), an_order(subject={"reference": reference}))


def test_an_appointment_of_another_patient_stops_everything() -> None:
    participants = [{"actor": {"reference": "Practitioner/p"}}, {"actor": {"reference": "Patient/somebody-else"}}]
    with pytest.raises(WrongPatientError):
        outcome({"resourceType": "Appointment", "id": "a", "participant": participants, "serviceType": [CODE]})


def test_without_a_map_no_cpt_code_is_known() -> None:
    found = planned(as_json([an_order((CPT, "22633"))]), patient_id=PATIENT_ID, maps=EMPTY)
    assert isinstance(found, NoProcedure)
    assert found.reason == "unmapped-procedure"


def test_the_facts_of_an_order_are_kept() -> None:
    order = an_order(
        priority="urgent",
        encounter={"reference": "Encounter/e-1"},
        occurrenceDateTime="2026-12-14",
        reasonCode=[coded((ICD_10_CM, "S32.010A"))],
    )
    found = planned(as_json([order]), patient_id=PATIENT_ID)
    assert isinstance(found, tuple)
    one: PlannedProcedure = found[0]
    assert (one.order, one.system, one.code) == ("ServiceRequest/order-1", ICD_10_PCS, "0SG00AJ")
    assert (one.priority, one.encounter, one.occurrence, one.acute_injury) == (
        "urgent", "Encounter/e-1", "2026-12-14", True)  # fmt: skip


def test_no_order_at_all_is_not_surgical() -> None:
    assert outcome() == "not-surgical"


@pytest.mark.parametrize(
    ("codes", "category", "expected"),
    [
        ([(CPT, "22633")], SURGERY[0], ["spine-fusion"]),
        ([(CPT, "72148")], LABORATORY[0], "not-surgical"),
        ([("urn:oid:1.2.3", "EAP-7")], LABORATORY[0], "not-surgical"),
    ],
)
def test_a_category_alone_instead_of_in_a_list_is_read(
    codes: list[tuple[str, str]], category: dict[str, Any], expected: str | list[str]
) -> None:
    """As the public CDS Hooks sandbox sends it."""
    assert outcome(an_order(*codes, category=category)) == expected
