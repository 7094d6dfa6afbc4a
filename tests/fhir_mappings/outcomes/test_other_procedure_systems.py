"""Procedures in classifications that are not read never make an outcome false."""

from __future__ import annotations

import pytest

from fhir_mappings.outcomes import code_meaning
from fhir_mappings.outcomes.outcome_definitions import BY_NAME
from tests.fhir_mappings.outcomes import base_case

ICD_9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
# Volume 3 of ICD-9-CM under its own identifiers and those of the diagnoses; OPS, CCAM, OPCS-4, CHOP, ACHI.
SYSTEMS = {
    ICD_9_CM: ["96.04", "9671", "31.1", "99.04", "81.08", "86.22", "41.0", "14.0", "140", "28.2"],
    "urn:oid:2.16.840.1.113883.6.104": ["96.04", "96.71", "99.04", "81.08"],
    "urn:oid:2.16.840.1.113883.6.42": ["96.04", "96.71", "99.04", "81.08"],
    "http://fhir.de/CodeSystem/bfarm/ops": ["8-701", "8-706", "8-800.c0", "5-916.a0", "5-836.40"],
    "https://smt.esante.gouv.fr/terminologie-ccam": ["GLLD004", "FELF011", "LHDA001"],
    "https://fhir.hl7.org.uk/Id/opcs-4": ["X56.1", "X33.2", "V38.2", "X362"],
    "http://fhir.ch/CodeSystem/bfs-chop": ["96.04", "99.04.10", "81.08"],
    PCS: ["5A1955", "0BH17E", "302", "GLLD004", "FELF011"],
    "http://hl7.org/fhir/sid/icd-10": ["J96", "I21", "G82", "E11", "C34"],
}


@pytest.mark.parametrize("outcome", ["respiratory-failure", "transfusion", "reoperation"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_procedure_in_a_code_that_is_not_read_is_told_as_not_understood(system: str, outcome: str) -> None:
    for code in SYSTEMS[system]:
        found = base_case.derived(base_case.resources(add=[_done(system, code)]), complete=["transfusion"])[outcome]
        assert (found.occurred, found.why) == (None, "not-understood"), (system, code)


def test_no_code_of_volume_3_is_read_as_the_diagnosis_that_has_its_digits() -> None:
    """14.0 to 99.99 without a dot are the three and four digits of diagnoses, too."""
    codes = [f"{number:0{width}}" for width in (3, 4) for number in range(10**width)]
    for name in ("respiratory-failure", "transfusion"):
        read = [one for one in codes if _meaning(name, ICD_9_CM, one) != "unknown"]
        assert not read, (name, read[:5])


@pytest.mark.parametrize("code", ["XRGB092", "XNU4356", "10D00Z1", "X2RF032"])
def test_operations_of_the_other_sections_of_pcs_may_be_a_reoperation(code: str) -> None:
    found = base_case.derived(base_case.resources(add=[_done(PCS, code)]))["reoperation"]
    assert found.occurred is not False


@pytest.mark.parametrize(
    "code", ["XW033E5", "10E0XZZ", "4A023N7", "B01BZZZ", "F07Z9ZZ", "GZ10ZZZ", "HZ2ZZZZ", "5A09357"]
)
def test_what_is_no_operation_by_its_section_is_none(code: str) -> None:
    found = base_case.derived(base_case.resources(add=[_done(PCS, code)]), complete=["transfusion"])
    assert (found["reoperation"].occurred, found["transfusion"].occurred) == (False, False)


@pytest.mark.parametrize("code", ["92928", "92941", "93653", "93580"])
def test_a_catheter_intervention_of_the_medicine_section_of_cpt_may_be_a_reoperation(code: str) -> None:
    found = base_case.derived(base_case.resources(add=[_done("http://www.ama-assn.org/go/cpt", code)]))["reoperation"]
    assert found.occurred is not False


def test_a_disease_that_is_told_as_a_procedure_may_be_the_outcome() -> None:
    assert _meaning("respiratory-failure", "http://snomed.info/sct", "233604007") == "could"


def _meaning(outcome: str, system: str, code: str) -> str:
    return code_meaning._procedure(system, code, BY_NAME[outcome], base_case.WORDS)[0]


def _done(system: str, code: str) -> dict[str, object]:
    coded = {"coding": [{"system": system, "code": code}]}
    when = "2026-03-12"
    return {"resourceType": "Procedure", "id": "x", "status": "completed", "code": coded, "performedDateTime": when}
