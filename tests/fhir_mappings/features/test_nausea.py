"""Earlier nausea and opioids planned: told by somebody, or missing; never read out of silence (Apfel 1999)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from fhir_mappings.features import features, reasons
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT
from tests.builders import (
    DEMO_CODES,
    a_condition,
    a_medication_request,
    a_planned_procedure,
    a_record,
    an_answer,
    an_observation,
    coded,
    days_ago,
    derived,
)

HISTORY, PLAN = "nausea_or_motion_sickness_history", "postoperative_opioid_planned"
YES, NO = (SNOMED_CT, "373066001"), (LOINC, "LA32-8")
ASKED, PLANNED = coded((DEMO_CODES, "PONV-HISTORY")), coded((DEMO_CODES, "OPIOID-PLAN"))
OXYCODONE, METFORMIN = "7804", "6809"  # RxNorm ingredients


def planned(*drafts: dict[str, Any]) -> Feature:
    raws = [Raw(json.dumps(draft).encode()) for draft in drafts]
    return features.derive(a_record(), a_planned_procedure(), raws)[PLAN]


def a_draft(code: str = OXYCODONE, **members: Any) -> dict[str, Any]:
    return {**a_medication_request(code), "id": "draft-1", "status": "draft", **members}


@pytest.mark.parametrize(
    "condition",
    [
        a_condition("T75.3XXA"),
        a_condition("T75.3XXD", status="resolved"),
        a_condition(coded((SNOMED_CT, "37031009"))),
        a_condition(coded((SNOMED_CT, "72245005")), status="inactive"),
    ],
)
def test_a_diagnosis_of_either_counts_for_good(condition: Any) -> None:
    found = derived(condition)[HISTORY]
    assert (found.status, found.value) == ("used", True)
    assert found.source == f"Condition/{condition['id']}"


@pytest.mark.parametrize("code", ["R11.0", "R11.2", "K91.0"])
def test_nausea_itself_tells_nothing_of_an_operation(code: str) -> None:
    assert derived(a_condition(code))[HISTORY].status == "missing"


def test_what_nobody_asked_is_missing_and_never_no() -> None:
    found = derived()
    assert (found[HISTORY].status, found[HISTORY].reason) == ("missing", "never-recorded")
    assert (found[PLAN].status, reasons.words(found[PLAN])) == ("missing", "none ordered yet")


@pytest.mark.parametrize(
    ("members", "status", "value"),
    [
        ({"valueCodeableConcept": coded(YES)}, "used", True),
        ({"valueCodeableConcept": coded(NO)}, "used", False),
        ({"valueBoolean": True}, "used", True),
        ({"valueBoolean": False}, "used", False),
        ({"valueCodeableConcept": coded(YES, NO)}, "conflicting", None),
        ({"valueCodeableConcept": coded((SNOMED_CT, "44054006"))}, "rejected", None),
        ({"valueString": "no"}, "rejected", None),
        ({}, "missing", None),
    ],
)
@pytest.mark.parametrize(("name", "question"), [(HISTORY, ASKED), (PLAN, PLANNED)])
def test_the_sites_question_is_answered_yes_or_no(
    name: str, question: Any, members: Any, status: str, value: bool | None
) -> None:
    found = derived(an_observation(question, None, **members))[name]
    assert (found.status, found.value) == (status, value)


def test_a_plan_belongs_to_one_operation_and_a_disposition_lasts() -> None:
    old = {"effectiveDateTime": days_ago(91)}
    assert derived(an_answer(PLANNED, YES, **old))[PLAN].status == "stale"
    assert derived(an_answer(ASKED, YES, **old))[HISTORY].value is True
    assert derived(an_answer(ASKED, YES, effectiveDateTime=days_ago(1827)))[HISTORY].status == "stale"


def test_a_diagnosis_wins_over_an_answer() -> None:
    assert derived(a_condition("T75.3XXA"), an_answer(ASKED, NO))[HISTORY].value is True


def test_an_opioid_ordered_in_the_same_session_is_planned() -> None:
    found = planned(a_draft(METFORMIN), a_draft())
    assert (found.status, found.value, found.source) == ("used", True, "MedicationRequest/draft-1")


@pytest.mark.parametrize(
    "draft",
    [
        a_draft(METFORMIN),
        a_draft(status="cancelled"),
        a_draft(status="entered-in-error"),
        a_draft(intent="option"),
        a_draft(doNotPerform=True),
        a_draft(subject={"reference": "Patient/somebody-else"}),
        a_draft(dosageInstruction="by mouth"),
        {"resourceType": "ServiceRequest", "note": [{"text": '"MedicationRequest"'}]},
    ],
)
def test_what_is_no_opioid_for_this_patient_plans_none(draft: dict[str, Any]) -> None:
    assert planned(draft).status == "missing"


def test_an_opioid_taken_already_tells_nothing_of_the_time_after() -> None:
    found = derived(a_medication_request(OXYCODONE))
    assert found["opioid"].value is True
    assert found[PLAN].status == "missing"
