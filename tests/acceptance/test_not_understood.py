"""Nothing that is in the record may look absent: what is read, made unreadable in many ways, is never "none" (DEC-37).

And the other way: in a record that is wholly understood, nothing is missing for this reason.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.advice import detail
from fhir_mappings.features import FEATURES
from fhir_mappings.site_rules import SiteRules
from tests import builders
from tests.acceptance.conftest import Post
from tests.acceptance.requests import (
    CPT,
    ICD,
    SNOMED,
    a_condition,
    a_functional_status,
    a_request,
    a_result,
    an_asa_class,
    bundle,
    days_ago,
)
from tests.cds_service.advice import people

Resource = dict[str, Any]
Way = Callable[[Resource], Any]
EXTENSION = "io.surgical-risk.assessment"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UNKNOWN_SYSTEM, HL7 = "https://hospital.example/codes", "http://terminology.hl7.org/CodeSystem"
VERIFICATION, CLINICAL = f"{HL7}/condition-ver-status", f"{HL7}/condition-clinical"

# One diagnosis by which each input is true.
DIAGNOSES = {
    "diabetes": "E11.9",
    "heart_failure": "I50.9",
    "ischaemic_heart_disease": "I25.2",
    "cerebrovascular_disease": "I63.9",
    "copd": "J44.9",
    "dialysis": "Z99.2",
    "chronic_kidney_disease": "N18.4",
    "cancer": "C34.90",
    "metastatic_cancer": "C79.51",
    "dementia": "F03.90",
    "insulin": "Z79.4",
    "anticoagulant": "Z79.01",
    "antiplatelet": "Z79.02",
    "steroid": "Z79.52",
    "opioid": "Z79.891",
    "previous_spine_surgery": "Z98.1",
    "sepsis": "A41.9",
    "respiratory_infection": "J18.9",
    "spondylolisthesis": "M43.16",
    "charlson_heart_failure": "I50.9",
    "charlson_dementia": "F03.90",
    "charlson_pulmonary_disease": "J44.9",
    "charlson_rheumatic_disease": "M05.9",
    "charlson_complicated_diabetes": "E11.22",
    "charlson_paralysis": "G82.20",
    "charlson_kidney_disease": "N18.4",
    "charlson_hiv": "B20",
    "charlson_liver_disease": "K74.60",
    "charlson_malignancy": "C34.90",
    "hfrs_points": "F03.90",
    "hypertension_on_medication": "I10",
}
MEDICINES = {
    "insulin": "274783",
    "anticoagulant": "1364430",
    "antiplatelet": "32968",
    "steroid": "8640",
    "opioid": "7804",
    "hypertension_on_medication": "29046",
}
PROCEDURES = {"previous_spine_surgery": "22612", "dialysis": "90935"}


def a_medicine(code: str) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m-{code}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        "subject": {"reference": "Patient/pt-b"},
        "authoredOn": days_ago(30),
    }


def a_procedure(code: str) -> Resource:
    return {
        "resourceType": "Procedure",
        "id": f"p-{code}",
        "status": "completed",
        "code": {"coding": [{"system": CPT, "code": code}]},
        "subject": {"reference": "Patient/pt-b"},
        "performedDateTime": days_ago(3),
    }


def entry(resource: Any, **members: Any) -> Resource:
    return {"resource": resource, "search": {"mode": "match"}} | members


def searchset(*entries: Any, **members: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)} | members


def coded(*codings: Resource, **members: Any) -> Callable[[Resource], Resource]:
    """Another code in the place of the one that is read."""

    def changed(resource: Resource) -> Resource:
        name = "medicationCodeableConcept" if resource["resourceType"] == "MedicationRequest" else "code"
        return resource | {name: {"coding": list(codings)} | members if codings else members}

    return changed


def spelt(**members: Any) -> Callable[[Resource], Resource]:
    """The same code with other members in its coding."""

    def changed(resource: Resource) -> Resource:
        name = "medicationCodeableConcept" if resource["resourceType"] == "MedicationRequest" else "code"
        (coding,) = resource[name]["coding"]
        return resource | {name: {"coding": [{k: v for k, v in (coding | members).items() if v is not None}]}}

    return changed


def with_(**members: Any) -> Callable[[Resource], Resource]:
    return lambda resource: {k: v for k, v in (resource | members).items() if v is not ...}


# Ways in which an entry of any list cannot be understood, and, below, ways in which only one kind of entry cannot.
ENTRIES: dict[str, Way] = {
    "system unknown": spelt(system=UNKNOWN_SYSTEM),
    "system absent": spelt(system=None),
    "system an unknown OID": spelt(system="urn:oid:1.2.3.4.5.6.7"),
    "system almost right": spelt(system="http://hl7.org/fhir/sid/icd-10-cmx"),
    "code in no list": spelt(system=SNOMED, code="2003000000"),
    "code of no form": spelt(code="?!"),
    "code a number": spelt(code=7),
    "code absent": spelt(code=None),
    "words only": coded(text="as the clinic writes it"),
    "no code at all": coded(),
    "masked": coded({"system": f"{HL7}/data-absent-reason", "code": "masked"}),
    "unknown by its own word": coded({"system": f"{HL7}/data-absent-reason", "code": "unknown"}),
    "coding no list": coded(coding={"system": ICD, "code": "I50.9"}),
    "concept a list": with_(code=[], medicationCodeableConcept=[]),
    "modifier": with_(modifierExtension=[{"url": "https://hospital.example/absent", "valueBoolean": True}]),
    "implicit rules": with_(implicitRules="https://hospital.example/rules"),
    "nobody's": with_(subject=...),
    "a subject by identifier": with_(subject={"identifier": {"system": UNKNOWN_SYSTEM, "value": "7"}}),
    "a subject in words": with_(subject={"display": "this patient"}),
    "a contained subject": with_(subject={"reference": "#who"}),
    "a type misspelt": lambda resource: resource | {"resourceType": resource["resourceType"].lower()},
    "a type absent": lambda resource: {k: v for k, v in resource.items() if k != "resourceType"},
    "status no text": with_(status=7, clinicalStatus=7),
}
CONDITIONS: dict[str, Way] = {
    "no information": coded(
        {"system": "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips", "code": "no-problem-info"}
    ),
    "confirmed elsewhere": with_(verificationStatus={"coding": [{"system": UNKNOWN_SYSTEM, "code": "yes"}]}),
    "confirmed in words": with_(verificationStatus={"text": "confirmed by letter"}),
    "confirmed without a system": with_(verificationStatus={"coding": [{"code": "confirmed"}]}),
    "confirmed by an unknown code": with_(verificationStatus={"coding": [{"system": VERIFICATION, "code": "maybe"}]}),
    "STU3 status": with_(clinicalStatus="active"),
    "STU3 member": with_(assertedDate="2026-01-01"),
    "onset no text": with_(onsetDateTime=2026),
}
MEDICATIONS: dict[str, Way] = {
    "R5 medication": with_(
        medicationCodeableConcept=..., medication={"concept": {"coding": [{"system": RXNORM, "code": "5856"}]}}
    ),
    "a reference that leads nowhere": with_(
        medicationCodeableConcept=..., medicationReference={"reference": "Medication/elsewhere"}
    ),
    "a contained medicine in words": with_(
        medicationCodeableConcept=...,
        medicationReference={"reference": "#m"},
        contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "the usual"}}],
    ),
    "status of no list": with_(status="running"),
    "status absent": with_(status=...),
    "intent of no list": with_(intent="perhaps"),
}
PROCEDURE: dict[str, Way] = {
    "status of no list": with_(status="finished"),
    "status absent": with_(status=...),
    "STU3 member": with_(notDone=False),
    "date no text": with_(performedDateTime=2026),
}
# Ways in which the whole list does not say what is in it.
LISTS: dict[str, Way] = {
    "one more on the server": lambda _: searchset(total=1),
    "a next page that was not read": lambda _: searchset(link=[{"relation": "next", "url": "https://ehr.example/2"}]),
    "an error": lambda _: {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
    "an error among the entries": lambda _: searchset(
        entry({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]})
    ),
    "another resource": lambda _: {"resourceType": "List", "status": "current", "mode": "working"},
    "an entry without its resource": lambda _: searchset({"fullUrl": "https://ehr.example/Condition/1"}),
    "an entry that is no object": lambda _: searchset("Condition/1"),
    "an entry of null": lambda _: searchset(entry(None, fullUrl="https://ehr.example/Condition/1")),
    "a text": lambda _: "see chart",
    "not sent": lambda _: ...,
}


def ways(of: dict[str, Way]) -> dict[str, Callable[[Resource], Any]]:
    """Each way as what then stands under the key."""
    entries = {
        name: lambda one, change=change: searchset(entry(change(copy.deepcopy(one)))) for name, change in of.items()
    }
    return entries | LISTS


CASES = [
    *(("conditions", name, a_condition(code)) for name, code in DIAGNOSES.items()),
    *(("medications", name, a_medicine(code)) for name, code in MEDICINES.items()),
    *(("procedures", name, a_procedure(code)) for name, code in PROCEDURES.items()),
]
WAYS = {
    "conditions": ways(ENTRIES | CONDITIONS),
    "medications": ways(ENTRIES | MEDICATIONS),
    "procedures": ways({name: way for name, way in ENTRIES.items() if name != "status no text"} | PROCEDURE),
}
NONE = re.compile(r"\*\*None recorded:\*\* ([^\n]*)")


def a_whole_person(key: str, name: str, content: Any) -> dict[str, Any]:
    """Mr. B with every number that a model asks, and this under one key."""
    observations = bundle(an_asa_class(), a_functional_status(), a_result("39156-5", 27.1, "kg/m2"))
    labs = bundle(a_result("2160-0", 1.1, "mg/dL"))
    keys: dict[str, Any] = {"observations": observations, "labs": labs, key: content}
    if name == "hypertension_on_medication":
        other = {"medications": ("conditions", a_condition("I10")), "conditions": ("medications", a_medicine("29046"))}
        keys[other[key][0]] = bundle(other[key][1])
    return a_request(**keys)


def dated(resource: Resource) -> Resource:
    """Begun yesterday, so that what counts only for days does."""
    return resource | {"onsetDateTime": days_ago(1)} if resource["resourceType"] == "Condition" else resource


def answered(post: Post, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The discrete result and the card's text."""
    response = post(body)
    assert response.status_code == 200, response.get_data(as_text=True)
    (card,) = response.json["cards"]
    return card["extension"][EXTENSION], f"{card['summary']}\n{card['detail']}"


def figures(result: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """By model from where to where its probability or its points lie; models without an answer are left out."""
    found = {}
    for one in result["predictions"]:
        if one["status"] == "computed":
            found[one["model"]] = (one["probability"], one["probability"])
        elif one["status"] == "score-only":
            found[one["model"]] = (one["points"], one["points"])
        elif one["status"] == "range":
            ends = one.get("pointsRange") or one["missingRange"]
            found[one["model"]] = (ends["low"], ends["high"])
    return found


def status(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in result["inputs"] if one["name"] == name)


def counts(told: dict[str, Any]) -> bool:
    return told["status"] in ("used", "used-with-conversion")


@pytest.mark.parametrize(("key", "name", "resource"), CASES, ids=[f"{key}-{name}" for key, name, _ in CASES])
def test_what_is_made_unreadable_is_never_told_as_absent(post: Post, key: str, name: str, resource: Resource) -> None:
    resource = dated(resource)
    read, _ = answered(post, a_whole_person(key, name, bundle(resource)))
    told = status(read, name)
    assert counts(told), told
    assert told["value"] not in (False, "none", 0), told
    assert len(WAYS[key]) >= 25
    wrong = []
    for way, content in WAYS[key].items():
        result, text = answered(post, a_whole_person(key, name, content(resource)))
        now = status(result, name)
        if counts(now) and now["value"] != told["value"]:
            wrong.append((way, now))
        none = NONE.search(text)
        if none and FEATURES[name].label in none[1]:
            wrong.append((way, none[0]))
        ranges = figures(result)
        for model, (low, high) in figures(read).items():
            if model not in ranges or ranges[model][1] < high - 1e-9:
                wrong.append((way, model, low, high, ranges.get(model)))
    assert wrong == []


def test_a_record_that_is_wholly_understood_has_nothing_missing_for_that_reason(post: Post) -> None:
    every = [dated(a_condition(code)) for code in dict.fromkeys(DIAGNOSES.values())]
    healthy = [a_condition("M54.50"), a_condition("H25.9"), a_condition("E78.5")]
    for conditions in (every, healthy):
        body = a_whole_person("conditions", "", bundle(*conditions))
        body["prefetch"]["medications"] = bundle(*(a_medicine(code) for code in MEDICINES.values()), a_medicine("6809"))
        body["prefetch"]["procedures"] = bundle(*(a_procedure(code) for code in PROCEDURES.values()))
        result, text = answered(post, body)
        assert [one for one in result["inputs"] if one.get("reason") == "not-understood"] == []
        assert "notUnderstood" not in result
        assert "Not understood" not in text
        assert not [one for one in result["predictions"] if one["status"] == "range"]


def test_an_entry_that_does_not_count_moves_nothing_whatever_its_code(post: Post) -> None:
    """Refuted, entered in error or still to come: such an entry is understood (DEC-37)."""
    plain, _ = answered(post, a_whole_person("conditions", "", bundle(a_condition("M54.50"))))
    strange = spelt(system=UNKNOWN_SYSTEM)(a_condition("I50.9"))
    for members in (
        {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": "refuted"}]}},
        {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": "entered-in-error"}]}},
        {
            "verificationStatus": {
                "coding": [{"system": VERIFICATION, "code": "provisional"}, {"system": "x", "code": "y"}]
            }
        },
        {"recordedDate": days_ago(-30)},
    ):
        result, text = answered(
            post, a_whole_person("conditions", "", bundle(a_condition("M54.50"), strange | members))
        )
        assert figures(result) == figures(plain)
        assert "Not understood" not in text


def test_the_more_entries_are_not_understood_the_wider_the_range(post: Post) -> None:
    """What k entries could name bounds the range: one names two things at most (DEC-38)."""
    widths = []
    for number in range(4):
        strange = [spelt(system=UNKNOWN_SYSTEM)(a_condition(f"I5{n}.9")) for n in range(number)]
        result, text = answered(post, a_whole_person("conditions", "", bundle(a_condition("M54.50"), *strange)))
        low, high = figures(result)["rcri"]
        widths.append((low, high))
        assert (f"{number} of {number + 1} diagnoses" in text) == (number > 0)
    assert widths == [(0, 0), (0, 2), (0, 4), (0, 4)]


def test_a_site_may_count_such_entries_as_absent_and_the_card_still_tells_them() -> None:
    strange = builders.a_condition(builders.coded((UNKNOWN_SYSTEM, "I50.9")))
    record = builders.a_record(strange, rules=SiteRules(unread_is_absent=True))
    assessment = people.assessed(record)
    assert assessment.features["heart_failure"].value is False
    assert "**Not understood in the record:** 1 of 1 diagnosis; this hospital counts such entries as absent." in (
        detail.write(assessment, limit=1200)
    )
