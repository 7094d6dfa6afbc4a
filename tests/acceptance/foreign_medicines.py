"""Medicines as other systems and countries write them, prescribed, stated, handed out or given (foreign_lists.py)."""

from __future__ import annotations

from typing import Any

from tests.acceptance.foreign_lists import IPS, UNKNOWN, WHO, Foreign, coded
from tests.acceptance.requests import SNOMED, bundle, days_ago
from tests.acceptance.unreadable import RXNORM, a_medicine

Json = dict[str, Any]


def medicine(*codings: tuple[str, str], text: str | None = None, **members: Any) -> Json:
    named = {"medicationCodeableConcept": coded(*codings, text=text)} if codings or text else {}
    return {k: v for k, v in (a_medicine("274783") | named | members).items() if v is not ...}


def statement(status: str, code: str = "274783") -> Json:
    said = {"resourceType": "MedicationStatement", "status": status, "effectivePeriod": {"start": days_ago(90)}}
    return medicine((RXNORM, code), intent=..., authoredOn=..., **said)


def given(kind: str, status: str, code: str = "274783") -> Json:
    """A medicine that was handed out or given, by its RxNorm code or in words."""
    named = coded((RXNORM, code)) if code.isdecimal() else coded(text=code)
    return {"resourceType": kind, "status": status, "subject": WHO, "medicationCodeableConcept": named}


def contained(code: tuple[str, str] | None, *ingredients: Json) -> Json:
    """A prescription of a Medication with these ingredients."""
    named: Json = {"code": coded(code)} if code else {}
    inside = {"resourceType": "Medication", "id": "m", "ingredient": list(ingredients)} | named
    return medicine(medicationCodeableConcept=..., medicationReference={"reference": "#m"}, contained=[inside])


_ENDED = {"authoredOn": "2010-01-01", "dispenseRequest": {"validityPeriod": {"end": "2010-03-01"}}}
INSULIN_INGREDIENT = {"itemCodeableConcept": coded((RXNORM, "274783"))}
_BY_THE_OTHER = {"authorizingPrescription": [{"reference": "https://ehr.example/fhir/MedicationRequest/m-6809"}]}
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
_INSULIN = {"medications": bundle(a_medicine("274783"))}
_CONTAINED = {
    "resourceType": "Medication",
    "id": "m",
    "code": coded(("http://fhir.de/CodeSystem/bfarm/atc", "A10AE04")),
}
MEDICINES = {
    "ATC of a German system": (medicine(("http://fhir.de/CodeSystem/bfarm/atc", "A10AE04")), True),
    "contained, by ATC": (
        medicine(medicationCodeableConcept=..., medicationReference={"reference": "#m"}, contained=[_CONTAINED]),
        True,
    ),
    "PZN alone": (medicine(("http://fhir.de/CodeSystem/ifa/pzn", "00123456")), UNKNOWN),
    "dm+d alone": (medicine(("https://dmd.nhs.uk", "39113611000001102")), UNKNOWN),
    "SNOMED product": (medicine((SNOMED, "39487003")), UNKNOWN),
    "words alone": (medicine(text="Lantus 100 E/ml"), UNKNOWN),
    "an ATC group of which insulin is one": (medicine(("http://www.whocc.no/atc", "A10")), UNKNOWN),
    "an unlisted RxNorm code, the words beside it": (
        medicine((RXNORM, "1999999"), text="insulin glargine pen"),
        UNKNOWN,
    ),
    "status unknown": (medicine(status="unknown"), UNKNOWN),
    "statement, status unknown": (statement("unknown"), UNKNOWN),
    "statement, active": (statement("active"), True),
    "statement, completed": (statement("completed"), False),
    "on hold": (medicine(status="on-hold"), False),
    "dispensed only": (
        medicine(resourceType="MedicationDispense", status="completed", whenHandedOver=days_ago(3)),
        UNKNOWN,
    ),
    "administered on the ward": (medicine(resourceType="MedicationAdministration", status="in-progress"), UNKNOWN),
    "handed out, of another class": (given("MedicationDispense", "completed", "6809"), False),
    "handed out by a prescription that came": (
        given("MedicationDispense", "completed", "wie bisher") | _BY_THE_OTHER,
        False,
    ),
    "handed out as something else than the prescription that came": (
        given("MedicationDispense", "completed", "Lantus") | _BY_THE_OTHER,
        UNKNOWN,
    ),
    "given by a prescription that came": (
        given("MedicationAdministration", "completed", "wie bisher")
        | {"request": {"reference": "MedicationRequest/m-6809"}},
        False,
    ),
    "handed out by a prescription that did not": (
        given("MedicationDispense", "completed", "Lantus")
        | {
            "authorizingPrescription": [
                {"reference": "MedicationRequest/m-6809"},
                {"reference": "MedicationRequest/m-7"},
            ]
        },
        UNKNOWN,
    ),
    "given in the hospital years ago": (
        given("MedicationAdministration", "completed") | {"effectiveDateTime": "2019-04-05"},
        False,
    ),
    "given in the hospital last month": (
        given("MedicationAdministration", "completed") | {"effectiveDateTime": days_ago(30)},
        UNKNOWN,
    ),
    "handed out years ago for five days": (
        given("MedicationDispense", "completed") | {"whenHandedOver": "2019-04-05", "daysSupply": {"value": 5}},
        False,
    ),
    "handed out last month for three": (
        given("MedicationDispense", "completed") | {"whenHandedOver": days_ago(30), "daysSupply": {"value": 90}},
        UNKNOWN,
    ),
    "a vaccine, given": (
        given("MedicationAdministration", "completed")
        | {"medicationCodeableConcept": coded(("http://hl7.org/fhir/sid/cvx", "140"))},
        False,
    ),
    "handed out in error": (given("MedicationDispense", "entered-in-error"), False),
    "handing out declined": (given("MedicationDispense", "declined"), False),
    "administration not done": (given("MedicationAdministration", "not-done"), False),
    "handed out, by words": (given("MedicationDispense", "completed", "Lantus"), UNKNOWN),
    "IPS: none known": (medicine((IPS, "no-known-medications")), False),
    "IPS: none known, by version": (medicine((f"{IPS}|1.1.0", "no-known-medications")), False),
    "IPS: none known, and a code of insulin": (
        medicine((IPS, "no-known-medications"), (RXNORM, "274783")),
        True,
    ),
    "IPS: none known, and a reference": (
        medicine((IPS, "no-known-medications"), medicationReference={"reference": "#m"}, contained=[_CONTAINED]),
        True,
    ),
    "IPS: none known, and a local code": (medicine((IPS, "no-known-medications"), ("urn:x", "LANTUS")), UNKNOWN),
    "status unknown, ended long ago": (medicine(status="unknown", **_ENDED), False),
    "a course of five days, written long ago": (
        medicine(
            authoredOn=days_ago(40),
            dosageInstruction=[{"timing": {"repeat": {"boundsDuration": {"value": 5, "code": "d"}}}}],
        ),
        False,
    ),
    "status unknown, in the hospital": (medicine(status="unknown", category=[coded(("urn:x", "inpatient"))]), False),
    "status unknown, a plan": (medicine(status="unknown", intent="plan"), False),
    "status unknown, still to come": (medicine(status="unknown", authoredOn=days_ago(-30)), False),
    "completed, for whatever intent": (medicine(status="completed", intent="perhaps"), False),
    "statement, status unknown, ended": (
        statement("unknown") | {"effectivePeriod": {"start": "2010-01-01", "end": "2010-03-01"}},
        False,
    ),
    "a Medication entered in error": (
        medicine(
            medicationCodeableConcept=...,
            medicationReference={"reference": "#m"},
            contained=[_CONTAINED | {"status": "entered-in-error", "code": coded((RXNORM, "6809"))}],
        ),
        UNKNOWN,
    ),
    "a product of no table, its ingredient beside it": (contained((RXNORM, "1999999"), INSULIN_INGREDIENT), True),
    "an ingredient that is named elsewhere": (
        contained(None, {"itemCodeableConcept": coded((RXNORM, "6809"))}, {"itemReference": {"reference": "#s"}}),
        UNKNOWN,
    ),
    "an ingredient without effect, in another system": (
        contained(
            None,
            {"itemCodeableConcept": coded((RXNORM, "6809"))},
            {"itemCodeableConcept": coded((SNOMED, "47703008")), "isActive": False},
        ),
        False,
    ),
    "US Core: a plan that the patient reports": (medicine(intent="plan", reportedBoolean=True), UNKNOWN),
    "US Core: a plan that somebody reports": (
        medicine(intent="plan", reportedReference={"reference": "RelatedPerson/1"}),
        UNKNOWN,
    ),
    "a plan that nobody reports": (medicine(intent="plan", reportedBoolean=False), False),
    "another drug, a plan that the patient reports": (
        medicine((RXNORM, "6809"), intent="plan", reportedBoolean=True),
        False,
    ),
    "for the stay and for home": (
        medicine(category=[coded((_CATEGORY, "inpatient")), coded((_CATEGORY, "discharge"))]),
        UNKNOWN,
    ),
    "for the stay": (medicine(category=[coded((_CATEGORY, "inpatient"))]), False),
    "by the RxNorm code of its brand": (medicine((RXNORM, "261551"), text="Lantus"), UNKNOWN),
    "a brand of another drug": (medicine((RXNORM, "151827"), text="Glucophage"), False),
    "IPS: none known, in SNOMED CT": (medicine((SNOMED, "787481004")), False),
    "IPS: none known, in SNOMED CT, and a local code": (medicine((SNOMED, "787481004"), ("urn:x", "LANTUS")), UNKNOWN),
    "IPS: no information": (medicine((IPS, "no-medication-info")), UNKNOWN),
    "another drug, status unknown": (medicine(("http://www.whocc.no/atc", "N02BE01"), status="unknown"), False),
}


def _beside_another(resource: Json, insulin: object) -> Foreign:
    """Beside another drug, so that the list is a list of prescriptions."""
    sent = {"medications": bundle(a_medicine("6809"), resource | {"id": "foreign"})}
    return Foreign(sent, {"insulin": (insulin,)}, _INSULIN if insulin is not False else {})


def _glargine(status: str, **members: Any) -> Json:
    """A statement on glargine by its ATC code."""
    said = statement(status) | {"id": f"said-{status}", "medicationCodeableConcept": coded((_ATC, "A10AE04"))}
    return {k: v for k, v in (said | {"effectivePeriod": ...} | members).items() if v is not ...}


_ATC = "http://www.whocc.no/atc"
_NOT_TAKEN = _glargine("not-taken", dateAsserted=days_ago(100))
_NOT_TAKEN_NOW = _NOT_TAKEN | {"dateAsserted": days_ago(0)}
SAID_BOTH: dict[str, tuple[list[Json], object]] = {
    "said later that it is taken, since long": (
        [_NOT_TAKEN, _glargine("active", dateAsserted=days_ago(2), effectivePeriod={"start": days_ago(300)})],
        True,
    ),
    "not taken, nobody knows when it was said": ([a_medicine("274783"), _glargine("not-taken")], UNKNOWN),
    "not taken, of one with a part that is not known": (
        [contained(None, INSULIN_INGREDIENT, {"itemCodeableConcept": coded(("urn:x", "2"))}), _NOT_TAKEN_NOW],
        UNKNOWN,
    ),
    "given, and later not taken": (
        [given("MedicationAdministration", "completed") | {"effectiveDateTime": days_ago(30)}, _NOT_TAKEN_NOW],
        False,
    ),
    "given by a prescription that was stopped": (
        [
            a_medicine("274783") | {"status": "stopped"},
            given("MedicationAdministration", "completed")
            | {"effectiveDateTime": days_ago(30), "request": {"reference": "MedicationRequest/m-274783"}},
        ],
        False,
    ),
    "of its group that none is taken": (
        [
            a_medicine("274783"),
            _NOT_TAKEN | {"medicationCodeableConcept": coded((_ATC, "A10A")), "dateAsserted": days_ago(1)},
        ],
        UNKNOWN,
    ),
}
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_LISTED = {
    "has words alone": {"display": "Insulin glargine"},
    "is known by a number": {"type": "MedicationStatement", "identifier": {"value": "7"}},
    "is to be searched": {"reference": "MedicationRequest?identifier=7"},
    "has a name that nothing has": {"reference": "urn:uuid:0c3f2e9a-7d5f-4a57-9d5c-1f5f0f7d1e11"},
    "has an id alone": {"reference": "m-7"},
    "is masked": {"extension": [{"url": _ABSENT, "valueCode": "masked"}]},
    "was handed out": {"reference": "MedicationDispense/d-7"},
    "was given": {"reference": "MedicationAdministration/a-7"},
    "is a bare Medication": {"reference": "Medication/x-7"},
    "is a list": {"reference": "List/l-2"},
}
SAID_BOTH |= {
    f"a list with an entry that {how}": (
        [{"resourceType": "List", "status": "current", "mode": "working", "subject": WHO, "entry": [{"item": item}]}],
        UNKNOWN,
    )
    for how, item in _LISTED.items()
}
FOREIGN_MEDICINES = {f"medicine: {name}": _beside_another(*one) for name, one in MEDICINES.items()} | {
    f"medicine: {name}": Foreign(
        {"medications": bundle(a_medicine("6809"), *said)},
        {"insulin": (insulin,)},
        {} if insulin is False else _INSULIN,
    )
    for name, (said, insulin) in SAID_BOTH.items()
}
_ALONE = {
    "a dose": given("MedicationAdministration", "completed", "6809"),
    "what was handed out": given("MedicationDispense", "completed"),
    "what was not handed out": given("MedicationDispense", "declined"),
    "a list of nothing": {"resourceType": "List", "status": "current", "subject": WHO},
}
FOREIGN_MEDICINES |= {
    f"medicine: {name}, and nothing else": Foreign(
        {"medications": bundle(alone)}, {"insulin": (UNKNOWN,), "opioid": (UNKNOWN,)}, _INSULIN
    )
    for name, alone in _ALONE.items()
}
