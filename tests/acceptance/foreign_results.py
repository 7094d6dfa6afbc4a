"""Results, people and orders as other systems and countries write them (see foreign_lists.py)."""

from __future__ import annotations

from typing import Any

from tests.acceptance.foreign_lists import HL7, UNKNOWN, WHO, Foreign, coded
from tests.acceptance.requests import (
    CPT,
    LOINC,
    SNOMED,
    a_condition,
    a_patient,
    a_result,
    an_asa_class,
    an_order,
    bundle,
    days_ago,
)

Json = dict[str, Any]
GB = "1000731000000107"  # Serum creatinine level, UK extension of SNOMED CT
HIGH = {"labs": bundle(a_result("2160-0", 4.4, "mg/dL"))}


def creatinine(**members: Any) -> Json:
    """A creatinine of 4.4 mg/dL; a member given as `...` is left out."""
    return {k: v for k, v in (a_result("2160-0", 4.4, "mg/dL") | members).items() if v is not ...}


def said(**members: Any) -> Json:
    """The same with another value than a quantity."""
    return creatinine(valueQuantity=..., **members)


def measured(value: float, unit: str, **members: Any) -> Json:
    return creatinine(valueQuantity={"value": value, "unit": unit} | members)


def panel(**members: Any) -> Json:
    return said(id="panel", code=coded((LOINC, "24323-8")), **members)


_INSIDE = {k: v for k, v in creatinine(id="inside").items() if k != "subject"}
_REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "r",
    "status": "final",
    "code": coded((LOINC, "24323-8")),
    "subject": WHO,
    "effectiveDateTime": days_ago(3),
    "result": [{"reference": "#inside"}],
    "contained": [_INSIDE],
}
_LOCAL = coded(("urn:oid:1.2.3", "KREA"))
_LOCAL_INSIDE = _INSIDE | {"code": _LOCAL}
_HB = a_result("718-7", 13.9, "g/dL")
# What creatinine may be: a number, or why it is not one.
RESULTS: dict[str, tuple[tuple[Json, ...], object]] = {
    "SNOMED, as in the UK": ((creatinine(code=coded((SNOMED, GB))),), "not-understood"),
    "CPT": ((creatinine(code=coded((CPT, "82565"))),), "not-understood"),
    "the laboratory's word under LOINC's URI": ((creatinine(code=coded((LOINC, "KREA"))),), "not-understood"),
    "LOINC with a misprint": ((creatinine(code=coded((LOINC, "2160-1"))),), "not-understood"),
    "in arterial blood": ((creatinine(code=coded((LOINC, "21232-4"))),), "other-code"),
    "before a dialysis, beside a local code": (
        (creatinine(code=coded(("urn:oid:1.2.3", "KREA"), (LOINC, "11042-9"))),),
        "other-code",
    ),
    "in arterial blood, as a part": (
        (panel(component=[{"code": coded((LOINC, "21232-4")), "valueQuantity": {"value": 4.4, "unit": "mg/dL"}}]),),
        "other-code",
    ),
    "of two LOINC codes of which one is taken": (
        (creatinine(code=coded((LOINC, "21232-4"), (LOINC, "2160-0"))),),
        4.4,
    ),
    "local code": ((creatinine(code=coded(("urn:oid:1.2.3", "KREA"))),), "not-understood"),
    "words": ((creatinine(code={"text": "Kreatinin i. S."}),), "not-understood"),
    "masked": ((creatinine(code=coded((f"{HL7}/data-absent-reason", "masked"))),), "not-understood"),
    "contained in its panel": ((panel(hasMember=[{"reference": "#inside"}], contained=[_INSIDE]),), "unreadable"),
    "contained in a report": ((_HB, _REPORT), "unreadable"),
    "contained in a report that was entered in error": (
        (_HB, _REPORT | {"status": "entered-in-error"}),
        "never-recorded",
    ),
    "contained in a panel that was entered in error": (
        (_HB, panel(status="entered-in-error", hasMember=[{"reference": "Observation/crea"}], contained=[_INSIDE])),
        "never-recorded",
    ),
    "contained in a panel that cannot be read": (
        (_HB, panel(contained=[_INSIDE], modifierExtension=[{"url": "urn:x", "valueBoolean": True}])),
        "unreadable",
    ),
    "contained in a panel of nobody": ((_HB, panel(contained=[_INSIDE], subject=...)), "unreadable"),
    "contained in a report of no readable code": ((_HB, _REPORT | {"code": 5}), "unreadable"),
    "contained, and not in a list": ((_HB, panel(contained=_INSIDE)), "unreadable"),
    "named by a panel that cannot be read": (
        (_HB, panel(hasMember=[{"reference": "Observation/crea"}], implicitRules="urn:x")),
        "not-understood",
    ),
    "the same, and by itself": (
        (panel(status="entered-in-error", contained=[_INSIDE]), creatinine(id="inside")),
        4.4,
    ),
    "contained in its panel under a local code": ((panel(contained=[_LOCAL_INSIDE]),), "not-understood"),
    "contained in a report under a local code": ((_HB, _REPORT | {"contained": [_LOCAL_INSIDE]}), "not-understood"),
    "contained in its panel and sent": ((panel(contained=[_INSIDE]), creatinine()), 4.4),
    "a part of a panel under a local code": (
        (panel(component=[{"code": _LOCAL, "valueQuantity": {"value": 4.4, "unit": "mg/dL"}}]),),
        "not-understood",
    ),
    "local code with a modifier": (
        (creatinine(code=_LOCAL, modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),),
        "not-understood",
    ),
    "local code of nobody": ((creatinine(code=_LOCAL, subject=...),), "not-understood"),
    "local code of status unknown": ((creatinine(code=_LOCAL, status="unknown"),), "not-understood"),
    "local code about something unknown": ((creatinine(code=_LOCAL, focus=[{"display": "?"}]),), "not-understood"),
    "named by a panel and not sent": ((_HB, panel(hasMember=[{"reference": "Observation/crea"}])), "not-understood"),
    "named by a panel and sent": ((panel(hasMember=[{"reference": "Observation/c"}]), creatinine(id="c")), 4.4),
    "component of a panel": (
        (panel(component=[{"code": coded((LOINC, "2160-0")), "valueQuantity": {"value": 4.4, "unit": "mg/dL"}}]),),
        4.4,
    ),
    "a donor's": ((creatinine(focus=[{"display": "donor"}]),), "unreadable"),
    "an unborn child's": ((creatinine(focus=[{"reference": "Patient/fetus"}]),), "unreadable"),
    "the patient's, said twice": ((creatinine(focus=[{"reference": "Patient/pt-b"}]),), 4.4),
    "about a specimen of the patient's": ((creatinine(focus=[{"reference": "Specimen/s"}]),), 4.4),
    "about a device of the patient's": ((creatinine(focus=[{"reference": "Device/d"}]),), 4.4),
    "about a relative, contained": (
        (creatinine(focus=[{"reference": "#r"}], contained=[{"resourceType": "RelatedPerson", "id": "r"}]),),
        "unreadable",
    ),
    "about a disease of the patient's": ((creatinine(focus=[{"reference": "Condition/ckd"}]),), 4.4),
    "mmol/L": ((measured(0.389, "mmol/L"),), 4.4),
    "unit in words": ((measured(389, "Mikromol pro Liter"),), "unit-unknown"),
    "decimal comma": ((said(valueString="4,4 mg/dl"),), "non-numeric"),
    "number and flag in words": ((said(valueString="4.4 mg/dL H"),), "non-numeric"),
    "from to in words": ((said(valueString="4.2-4.6 mg/dL"),), "non-numeric"),
    "ratio": ((said(valueRatio={"numerator": {"value": 44}, "denominator": {"value": 10}}),), "non-numeric"),
    "samples": (
        (said(valueSampledData={"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "4"}),),
        "non-numeric",
    ),
    "range on both sides of a limit": (
        (said(valueRange={"low": {"value": 1.2, "unit": "mg/dL"}, "high": {"value": 4.4, "unit": "mg/dL"}}),),
        "censored",
    ),
    "at least a limit": ((measured(1.5, "mg/dL", comparator=">="),), "censored"),
    "an unknown sign": ((measured(4.4, "mg/dL", comparator="~"),), "comparator-unknown"),
    "in the future": ((creatinine(effectiveDateTime=days_ago(-3)),), "future"),
    "dated as in Germany": ((creatinine(effectiveDateTime="24.11.2026"),), "date-unreadable"),
    "30 February": ((creatinine(effectiveDateTime="2026-02-30"),), "date-unreadable"),
    "without a zone": ((creatinine(effectiveDateTime=days_ago(4)[:-1]),), 4.4),
    "status unknown": ((creatinine(status="unknown"),), "result-status-unknown"),
    "an error of the laboratory": ((said(dataAbsentReason=coded((f"{HL7}/data-absent-reason", "error"))),), "unknown"),
}
_WHY_NOT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
# Whose record it is; the answer is a silence with a reason, a card without number, or a refusal.
PEOPLE: dict[str, tuple[Json, str]] = {
    "17 years": (a_patient(17), "out-of-scope"),
    "born in the year in which one turns 18": (a_patient(birthDate=str(int(days_ago(0)[:4]) - 18)), "out-of-scope"),
    "dead": (a_patient(deceasedBoolean=True), "deceased"),
    "dead, the day unknown": (
        a_patient(_deceasedDateTime={"extension": [_WHY_NOT]}),
        "deceased",
    ),
    "alive, beside a day that is not there": (
        a_patient(deceasedBoolean=False, _deceasedDateTime={"extension": [_WHY_NOT]}),
        "card",
    ),
    "nothing where a day of death could stand": (a_patient(_deceasedDateTime={}), "card"),
    "said to live, with a day of death": (a_patient(deceasedBoolean=False, deceasedDateTime="2026-01-01"), "deceased"),
    "birth date as in Germany": (a_patient(birthDate="12.03.1954"), "gap"),
    "born tomorrow": (a_patient(birthDate=days_ago(-1)[:10]), "gap"),
    "a modifier of the patient": (a_patient(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]), "gap"),
    "18 years": (a_patient(18), "card"),
    "110 years": (a_patient(110), "card"),
    "gender other": (a_patient(gender="other"), "card"),
    "gender in another word": (a_patient(gender="m"), "card"),
}
_CODES = {
    "OPS": ("http://fhir.de/CodeSystem/bfarm/ops", "5-836.30"),
    "OPCS-4": ("https://fhir.hl7.org.uk/Id/opcs-4", "V38.2"),
    "CCAM": ("https://mos.esante.gouv.fr/NOS/TRE_R38-CCAM", "LHFA016"),
    "NOMESCO": ("urn:oid:1.2.208.176.2.4", "NAG40"),
    "HCPCS": ("http://terminology.hl7.org/CodeSystem/HCPCS", "C9757"),
    "CPT with a modifier": (CPT, "22633-50"),
    "an unlisted SNOMED code": (SNOMED, "112730002"),
}
ORDERS: dict[str, tuple[Json, str]] = {
    **{name: (an_order(coding), "unmapped-procedure") for name, coding in _CODES.items()},
    "words": (an_order(code={"text": "Spondylodese L4/5"}), "unmapped-procedure"),
    "two systems that disagree": (an_order(code=coded((CPT, "22633"), (SNOMED, "52734007"))), "procedure-ambiguous"),
    "a modifier of the order": (
        an_order(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        "unmapped-procedure",
    ),
    "rules that nobody knows": (an_order(implicitRules="urn:x"), "unmapped-procedure"),
    "priority in another word": (an_order(priority="elective"), "not-elective"),
    "not to be performed": (an_order(doNotPerform=True), "not-surgical"),
    "in ten hours": (an_order(occurrenceDateTime=days_ago(-0.4)), "not-elective"),
    "a fracture": (an_order(reasonCode=[coded(("http://hl7.org/fhir/sid/icd-10-cm", "S32.010A"))]), "not-elective"),
    "a local code beside CPT": (an_order(code=coded((CPT, "22633"), ("urn:x", "FUS"))), "card"),
}
_LINKED = {"other": {"reference": "Patient/pt-a"}, "type": "replaced-by"}
ELSEWHERE: dict[str, Foreign] = {
    "merged into another record": Foreign(
        {"patient": a_patient(link=[_LINKED])},
        {"heart_failure": (UNKNOWN,), "cancer": (UNKNOWN,), "insulin": (UNKNOWN,)},
        {"conditions": bundle(a_condition("I50.9"))},
    ),
    "mainly in another record": Foreign(
        {"patient": a_patient(link=[_LINKED | {"type": "refer"}])},
        {"heart_failure": (UNKNOWN,)},
        {"conditions": bundle(a_condition("I50.9"))},
    ),
    "another record merged into this": Foreign(
        {"patient": a_patient(link=[_LINKED | {"type": "replaces"}])}, {"heart_failure": (False,)}
    ),
}
ASA = {"ASA by SNOMED item": an_asa_class() | {"code": coded((SNOMED, "302132005"))}}
