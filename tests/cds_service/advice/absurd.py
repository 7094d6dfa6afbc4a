"""For every row of the catalogue: a patient for whom it would be absurd, or why there is no such patient."""

from __future__ import annotations

import msgspec

from fhir_mappings.terminology.code_systems import SNOMED_CT
from tests.builders import (
    DEMO_CODES,
    Resource,
    a_condition,
    a_medication_request,
    a_procedure,
    an_answer,
    an_observation,
    coded,
    date_ago,
)
from tests.cds_service.advice.people import function, result, smoker
from tests.cds_service.advice.rows import APIXABAN, CASES, CLOPIDOGREL, PCS, stent

CORONARY_BYPASS = ((PCS, "021009W"),)
LOBECTOMY = ((PCS, "0BTC0ZZ"),)
DIALYSIS, ACTIVE_HEART, TOTALLY = a_condition("Z99.2"), a_condition("I20.0"), function("TOTAL")
CT_OF_THE_SPINE = an_observation(coded((DEMO_CODES, "CT-HU-L1")), 150, "[hnsf'U]")
DASI = an_observation(coded(("https://surgical-risk.io/fhir/CodeSystem/concept", "dasi")), 31.5, "1")
FORMER_SMOKER = an_answer("72166-2", (SNOMED_CT, "8517006"))


class Absurd(msgspec.Struct, frozen=True):
    """`person` fires the row but for `fact`, which makes it absurd; `codes`: an operation that does."""

    person: tuple[Resource, ...]
    fact: tuple[Resource, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()


def _but(row: str, *fact: Resource, codes: tuple[tuple[str, str], ...] = ()) -> Absurd:
    return Absurd(CASES[row].person, fact, codes)


# Each stands for one part of the row's `unless`.
ABSURD: dict[str, tuple[Absurd, ...]] = {
    "ferritin": (_but("ferritin", a_condition("D50.9")),),
    "transferrin-saturation": (
        _but("transferrin-saturation", a_condition("D50.9")),
        _but("transferrin-saturation", result("2276-4", 12, "ng/mL")),
    ),
    "anaemia-clinic": (_but("anaemia-clinic", DIALYSIS),),
    "dxa": (
        _but("dxa", a_condition("M81.0")),
        _but("dxa", CT_OF_THE_SPINE),
        _but("dxa", result("38263-0", -1.0, "{T-score}")),
    ),
    "bone-clinic": (_but("bone-clinic", a_condition("C79.51")),),
    "nt-probnp": (
        _but("nt-probnp", ACTIVE_HEART),
        _but("nt-probnp", DIALYSIS),
        _but("nt-probnp", codes=CORONARY_BYPASS),
    ),
    "functional-capacity": (
        Absurd((), (TOTALLY,)),
        _but("functional-capacity", DASI),
        _but("functional-capacity", ACTIVE_HEART),
        _but("functional-capacity", codes=CORONARY_BYPASS),
    ),
    "cardiology": (_but("cardiology", codes=CORONARY_BYPASS),),
    "stent-timing": (Absurd((stent(300), a_medication_request(CLOPIDOGREL)), codes=CORONARY_BYPASS),),
    "stop-bang": (_but("stop-bang", a_condition("G47.33")),),
    "pulmonary-evaluation": (_but("pulmonary-evaluation", codes=LOBECTOMY),),
    "anticoagulant-plan": (_but("anticoagulant-plan", a_medication_request(APIXABAN)),),
    "stop-smoking": (
        Absurd((FORMER_SMOKER,)),
        Absurd((smoker(),), (a_procedure(SNOMED_CT, "225323000", performedDateTime=date_ago(30)),)),
    ),
    "frailty-screen": (_but("frailty-screen", a_condition("R54")), _but("frailty-screen", TOTALLY)),
    "cognitive-screen": (_but("cognitive-screen", a_condition("F03.90")), _but("cognitive-screen", TOTALLY)),
    "hba1c": (_but("hba1c", a_procedure(PCS, "30233N1", performedDateTime=date_ago(90))),),
    "prehabilitation": (
        Absurd((a_condition("R54"),), (TOTALLY,)),
        _but("prehabilitation", ACTIVE_HEART),
    ),
    "kidney-note": (_but("kidney-note", DIALYSIS),),
}

NEVER_ABSURD: dict[str, str] = {
    "repeat-blood-count": "an old low value is no base for an operation that bleeds, whoever the patient is",
    "full-blood-count": "it is asked only where none is on record and the operation is major",
    "type-and-screen": "a sample is needed for each admission; the blood bank's policy asks for it",
    "vitamin-d": "a supplement or a known osteoporosis is a reason to measure, not to leave it",
    "glucose-referral": "it rests on a value above the site's limit; where that may mislead it is told beside it",
    "sglt2-plan": "whoever takes one needs the day of the last dose, on dialysis too",
    "glp1-review": "it rests on the medicine together with a stomach that empties slowly",
    "ecg": "a tracing to compare with is wanted most where the heart is worst",
    "cpap": "it asks whether a machine is used, which nothing in the record answers",
    "doac-plan": "whoever takes one needs the day of the last dose, on dialysis too",
    "p2y12-plan": "whoever takes one needs the day of the last dose, after a stent too",
    "pain-plan": "opioids before spine surgery call for a plan, whatever they were given for",
    "albumin": "it is asked only where none is on record and food is in doubt",
    "dietitian": "a low albumin is asked after whatever its cause",
    "cotinine": "a policy of the hospital, off until it asks for it",
    "geriatrics": "dementia before a major operation is the very reason",
    "basic-metabolic-panel": "it is asked only where no creatinine is on record; on dialysis the potassium counts",
    "shared-decision": "the higher the risk, the more a talk is owed; relatives can hold it for who cannot",
}
