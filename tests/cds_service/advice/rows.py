"""For every row of the catalogue: a person for whom it fires, what makes it superfluous, and who must not get it."""

from __future__ import annotations

import msgspec

from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT
from tests.builders import Resource, a_condition, a_medication_request, a_patient, a_procedure, an_answer, date_ago
from tests.cds_service.advice.people import asa, done, function, result, smoker

PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
YOUNG = a_patient(birthDate="1985-03-02", gender="female")
OLD = a_patient(birthDate="1942-03-02")
METFORMIN, APIXABAN, CLOPIDOGREL, PREDNISONE, OXYCODONE = "6809", "1364430", "32968", "8640", "7804"
EMPAGLIFLOZIN, SEMAGLUTIDE, LISINOPRIL, WARFARIN, METOPROLOL = "1545653", "1991302", "29046", "11289", "6918"
HERNIA = "0YQ50ZZ"  # repair of the right inguinal region: low risk, little blood loss


class Case(msgspec.Struct, frozen=True):
    """`person` fires the row; `settled` (more resources) or `drafts` (orders of the session) silences it.

    `must_not`: a person who looks alike and must not get it; where none is given, `person` before a hernia repair.
    """

    person: tuple[Resource, ...]
    settled: tuple[Resource, ...] = ()
    drafts: tuple[tuple[str, str], ...] = ()
    instead: tuple[Resource, ...] | None = None
    must_not: tuple[Resource, ...] | None = None


ANAEMIC = result("718-7", 10.9, "g/dL")


def stent(days: int) -> Resource:
    return a_procedure(SNOMED_CT, "36969009", performedDateTime=date_ago(days))


CASES: dict[str, Case] = {
    "hba1c": Case(
        (a_condition("E11.9"),), settled=(result("4548-4", 7.1, "%", days=89),), must_not=(a_condition("R73.03"),)
    ),
    "glucose-referral": Case(
        (result("4548-4", 8.4, "%"),), drafts=((SNOMED_CT, "306118006"),), must_not=(result("4548-4", 7.9, "%"),)
    ),
    "sglt2-plan": Case(
        (a_medication_request(EMPAGLIFLOZIN),),
        instead=(a_medication_request(EMPAGLIFLOZIN, status="stopped"),),
        must_not=(a_medication_request(METFORMIN),),
    ),
    "glp1-review": Case(
        (a_medication_request(SEMAGLUTIDE), a_condition("K31.84")),
        instead=(a_medication_request(SEMAGLUTIDE),),
        must_not=(a_medication_request(METFORMIN), a_condition("K31.84")),
    ),
    "ferritin": Case((ANAEMIC,), settled=(result("2276-4", 20, "ng/mL", days=89),)),
    "transferrin-saturation": Case((ANAEMIC,), settled=(result("2502-3", 12, "%", days=89),)),
    "anaemia-clinic": Case((ANAEMIC, a_condition("D50.9")), instead=(ANAEMIC,)),
    "full-blood-count": Case((asa(2),), settled=(result("718-7", 14, "g/dL", days=89),)),
    "albumin": Case((asa(2),), settled=(result("1751-7", 4.1, "g/dL", days=89),)),
    "repeat-blood-count": Case(
        (result("718-7", 10.9, "g/dL", days=31),), instead=(result("718-7", 10.9, "g/dL", days=30),)
    ),
    "type-and-screen": Case((asa(2),), settled=(done("34532-2", days=3),)),
    "dietitian": Case(
        (result("1751-7", 3.1, "g/dL"),), drafts=((SNOMED_CT, "103699006"),), must_not=(result("1751-7", 3.5, "g/dL"),)
    ),
    "stop-smoking": Case(
        (smoker(),),
        settled=(a_procedure(SNOMED_CT, "225323000", performedDateTime=date_ago(30)),),
        must_not=(an_answer("72166-2", (SNOMED_CT, "8517006")),),
    ),
    "cotinine": Case((smoker(),), drafts=((LOINC, "10365-5"),)),
    "cardiology": Case(
        (a_condition("I20.0"),), drafts=((SNOMED_CT, "183519002"),), must_not=(a_condition("I20.0", status="resolved"),)
    ),
    "stent-timing": Case(
        (stent(300), a_medication_request(CLOPIDOGREL)),
        instead=(stent(366), a_medication_request(CLOPIDOGREL)),
        must_not=(stent(300), a_medication_request(METOPROLOL)),
    ),
    "nt-probnp": Case((asa(2),), settled=(done("33762-6", days=89),)),
    "ecg": Case((a_condition("I25.2"),), settled=(done("11524-6", days=364),)),
    "functional-capacity": Case((function("PARTIAL"),), instead=(function("INDEPENDENT"),)),
    "stop-bang": Case((result("39156-5", 36, "kg/m2"),), settled=(a_condition("G47.33"),)),
    "cpap": Case((a_condition("G47.33"),), instead=(a_condition("G47.33", status="resolved"),)),
    "pulmonary-evaluation": Case((a_condition("J44.9"),), instead=(a_condition("J44.9", status="resolved"),)),
    "dxa": Case((asa(2),), settled=(done("24701-5", days=729),)),
    "vitamin-d": Case((asa(2),), settled=(done("62292-8", days=729),)),
    "bone-clinic": Case((a_condition("M81.0"),), drafts=((SNOMED_CT, "306118006"),)),
    "frailty-screen": Case((asa(2),), instead=(YOUNG,)),
    "cognitive-screen": Case((a_condition("I63.9"),), settled=(a_condition("F03.90"),)),
    "geriatrics": Case((a_condition("F03.90"),), instead=(a_condition("F03.90"), YOUNG)),
    "prehabilitation": Case((function("PARTIAL"),), drafts=((SNOMED_CT, "308447003"),)),
    "anticoagulant-plan": Case(
        (a_medication_request(WARFARIN),),
        instead=(a_medication_request(WARFARIN, status="completed"),),
        must_not=(a_medication_request(LISINOPRIL),),
    ),
    "doac-plan": Case(
        (a_medication_request(APIXABAN),),
        instead=(a_medication_request(APIXABAN, status="completed"),),
        must_not=(a_medication_request(WARFARIN),),
    ),
    "p2y12-plan": Case(
        (a_medication_request(CLOPIDOGREL),),
        instead=(a_medication_request(CLOPIDOGREL, status="stopped"),),
        must_not=(a_medication_request(LISINOPRIL),),
    ),
    "pain-plan": Case((a_medication_request(OXYCODONE),), instead=(a_medication_request(METFORMIN),)),
    "basic-metabolic-panel": Case((asa(2),), settled=(result("2160-0", 1.1, "mg/dL", days=89),)),
    "kidney-note": Case(
        (result("98979-8", 41, "mL/min/{1.73_m2}"),), instead=(result("98979-8", 60, "mL/min/{1.73_m2}"),)
    ),
    "shared-decision": Case((asa(4), OLD), instead=(asa(1), OLD)),
}
