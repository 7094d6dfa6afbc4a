"""Operations in a system of diagnoses, and diagnoses whose standing is told in another way than by HL7's status."""

from __future__ import annotations

from typing import Any

from tests.acceptance.foreign_lists import GM, HL7, OPS, UNKNOWN, Foreign, Json, clinical, coded, done, problem
from tests.acceptance.requests import CPT, ICD, SNOMED, bundle, days_ago
from tests.acceptance.unreadable import a_medicine, a_procedure

ICD_9 = "http://hl7.org/fhir/sid/icd-9-cm"
_SPINE = {"procedures": bundle(a_procedure("22612"))}


def _operation(code: str, system: str, told: object) -> Foreign:
    """What was done in this code; the volume of ICD-9-CM for operations has no URI of its own in FHIR."""
    sent: dict[str, Any] = {"procedures": bundle(done(code, system))}
    readable = {} if told is False else _SPINE
    return Foreign(sent, {"previous_spine_surgery": (told,), "dialysis": (UNKNOWN,)}, readable)


_OPERATIONS = {
    **{f"ICD-9-CM {code}": _operation(code, ICD_9, UNKNOWN) for code in ("81.08", "81.62", "80.51", "03.09", "39.95")},
    "a diagnosis of ICD-9-CM": _operation("428.0", ICD_9, UNKNOWN),
    "a diagnosis of ICD-10-CM": _operation("M54.50", ICD, UNKNOWN),
    "a diagnosis of ICD-10-CM that an input asks for": _operation("Z98.1", ICD, UNKNOWN),
    "ICD-9-CM beside CPT": Foreign(
        {
            "procedures": bundle(
                done("", code={"coding": [{"system": ICD_9, "code": "81.08"}, {"system": CPT, "code": "22612"}]})
            )
        },
        {"previous_spine_surgery": (True,), "dialysis": (False,)},
        _SPINE,
    ),
}


def _left_open(
    told: object, code: str = "22612", system: str = CPT, dialysis: object = UNKNOWN, **members: Any
) -> Foreign:
    """What is under way by its status; a code of no list may be dialysis too."""
    sent = {"procedures": bundle(done(code, system, **{"status": "in-progress", "performedDateTime": ...} | members))}
    told_of: Json = {"previous_spine_surgery": (told,), "dialysis": (dialysis,)}
    return Foreign(sent, told_of, _SPINE if told is not False else {})


_2019 = {"start": "2019-03-01", "end": "2019-03-01"}
_TODAY = {"start": days_ago(0)}
_NEVER_CLOSED = {
    "ended in 2019": _left_open(UNKNOWN, performedPeriod=_2019, dialysis=False),
    "begun in 2019": _left_open(UNKNOWN, performedPeriod={"start": "2019-03-01"}, dialysis=False),
    "of 2019": _left_open(UNKNOWN, performedDateTime="2019", dialysis=False),
    "of this year": _left_open(UNKNOWN, performedDateTime=days_ago(0)[:4], dialysis=False),
    "on hold since 2019": _left_open(UNKNOWN, status="on-hold", performedDateTime="2019-03-01", dialysis=False),
    "of no day": _left_open(UNKNOWN, dialysis=False),
    "ended today": _left_open(UNKNOWN, performedPeriod=_TODAY | {"end": days_ago(0)}, dialysis=False),
    "ended in no form that is read": _left_open(UNKNOWN, performedPeriod=_TODAY | {"end": "N/A"}, dialysis=False),
    "OPS of 2019": _left_open(UNKNOWN, "5-836.40", OPS, performedPeriod=_2019),
    "OPS of today": _left_open(False, "5-836.40", OPS, performedPeriod=_TODAY),
    "begun today": _left_open(False, performedPeriod=_TODAY, dialysis=False),
    "begun today, to end tomorrow": _left_open(False, performedPeriod=_TODAY | {"end": days_ago(-1)}, dialysis=False),
    "dialysis since 2019": _left_open(False, "90935", performedPeriod={"start": "2019-03-01"}),
    "another operation of 2019": _left_open(
        False, "0DTJ4ZZ", "http://www.cms.gov/Medicare/Coding/ICD10", performedPeriod=_2019, dialysis=False
    ),
}
CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
KBV = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"


def _german(told: object, *certain: Json, **members: Any) -> Foreign:
    """Lung cancer in ICD-10-GM, its certainty written as an extension of the code."""
    side = {"url": "http://fhir.de/StructureDefinition/seitenlokalisation", "valueCoding": {"code": "L"}}
    code = {"coding": [{"system": GM, "code": "C34.1", "extension": [side, *certain]}]}
    sent = {"conditions": bundle(problem(code=code, **members))}
    return Foreign(sent, {"cancer": (told,)}, {} if told is False else {"conditions": bundle(problem("C34.1"))})


def _certain(code: str, url: str = CERTAINTY) -> Json:
    return {"url": url, "valueCoding": {"system": KBV, "code": code}}


def _verified(code: str) -> Json:
    return clinical(code, f"{HL7}/condition-ver-status")


_SINCE = {"clinicalStatus": ..., "onsetDateTime": "2001-03-01", "recordedDate": "2001-03-01"}
_CERTAINTIES = {
    "excluded": _german(False, _certain("A")),
    "suspected": _german(False, _certain("V")),
    "assured": _german(True, _certain("G")),
    "state after, no status": _german(False, _certain("Z"), **_SINCE),
    "state after, on the problem list": _german(
        False, _certain("Z"), **_SINCE, category=[coded((HL7, "problem-list-item"))]
    ),
    "state after, resolved lately": _german(
        True, _certain("Z"), clinicalStatus=clinical("resolved"), abatementDateTime="2026-03-01"
    ),
    "state after, and active": _german(UNKNOWN, _certain("Z")),
    "of no code of KBV": _german(UNKNOWN, _certain("X")),
    "masked": _german(UNKNOWN, {"url": CERTAINTY, "extension": [{"url": HL7, "valueCode": "masked"}]}),
    "in another form of the value": _german(False, {"url": CERTAINTY, "valueCode": "A"}),
    "by https": _german(False, _certain("A", CERTAINTY.replace("http:", "https:"))),
    "not read": _german(UNKNOWN, {"url": CERTAINTY, "valueCoding": "A"}),
    "said twice": _german(UNKNOWN, _certain("G"), _certain("A")),
    "excluded and suspected": _german(False, _certain("A"), _certain("V")),
    "excluded, refuted": _german(False, _certain("A"), verificationStatus=_verified("refuted")),
    "suspected, provisional": _german(False, _certain("V"), verificationStatus=_verified("provisional")),
    "assured, confirmed": _german(True, _certain("G"), verificationStatus=_verified("confirmed")),
    "excluded, confirmed": _german(UNKNOWN, _certain("A"), verificationStatus=_verified("confirmed")),
    "suspected, confirmed": _german(UNKNOWN, _certain("V"), verificationStatus=_verified("confirmed")),
    "assured, provisional": _german(UNKNOWN, _certain("G"), verificationStatus=_verified("provisional")),
    "assured, entered in error": _german(False, _certain("G"), verificationStatus=_verified("entered-in-error")),
    "another extension that is not read": _german(True, {"url": "http://x.example/y", "valueCoding": "A"}),
}
_SOON = days_ago(-0.05)
_CLOCKS = {
    "an operation": Foreign(
        {"procedures": bundle(done("22612", performedDateTime=_SOON))},
        {"previous_spine_surgery": (UNKNOWN,), "dialysis": (False,)},
        _SPINE,
    ),
    "a dialysis": Foreign(
        {"procedures": bundle(done("90935", performedDateTime=_SOON))},
        {"previous_spine_surgery": (False,), "dialysis": (UNKNOWN,)},
        {"procedures": bundle(a_procedure("90935"))},
    ),
    "a prescription": Foreign(
        {"medications": bundle(a_medicine("274783") | {"authoredOn": _SOON})},
        {"insulin": (UNKNOWN,), "opioid": (False,)},
        {"medications": bundle(a_medicine("274783"))},
    ),
    "a diagnosis": Foreign({"conditions": bundle(problem("J44.9", recordedDate=_SOON))}, {"copd": (True,)}),
}
_COPD = {"conditions": bundle(problem("J44.9"))}
_ENDS = {
    "in words that tell of none": {"abatementString": "N/A"},
    "in words": {"abatementString": "last winter"},
    "at an age that is still to come": {"abatementAge": {"value": 80, "code": "a"}},
    "in no form of a date": {"abatementDateTime": "unknown"},
}
_OTHERS = {
    "cancer": (False,),
    "heart_failure": (False,),
    "sepsis": ("none",),
    "insulin": (False,),
    "dialysis": (False,),
}
_UNCLEAR: dict[str, Json] = {
    "R5's clinical status `unknown`": {"clinicalStatus": clinical("unknown")},
    "verified in words": {"verificationStatus": {"text": "confirmed"}},
    "verified in SNOMED": {"verificationStatus": clinical("410605003", SNOMED)},
}
STANDINGS = {
    **{f"by a clock that is ahead: {name}": one for name, one in _CLOCKS.items()},
    **{
        f"known code, {name}": Foreign(
            {"conditions": bundle(problem("J44.9", **one))}, {"copd": (UNKNOWN, True)} | _OTHERS, _COPD
        )
        for name, one in _UNCLEAR.items()
    },
    **{
        f"active, and ended {name}": Foreign(
            {"conditions": bundle(problem("J44.9", **one))}, {"copd": (UNKNOWN,)}, _COPD
        )
        for name, one in _ENDS.items()
    },
    **{f"left open: {name}": one for name, one in _NEVER_CLOSED.items()},
    **{f"certainty: {name}": one for name, one in _CERTAINTIES.items()},
    **{f"operation: {name}": one for name, one in _OPERATIONS.items()},
}
