"""Nothing that is in the record may look absent: what is read, made unreadable in many ways, is never "none" (DEC-37).

And the other way: in a record that is wholly understood, nothing is missing for this reason.
"""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards import detail
from fhir_mappings.results.site_rules import SiteRules
from tests import builders
from tests.acceptance.conftest import Post
from tests.acceptance.requests import (
    a_condition,
    a_functional_status,
    a_request,
    a_result,
    an_asa_class,
    bundle,
    days_ago,
)
from tests.acceptance.unreadable import (
    DIAGNOSES,
    MEDICINES,
    PROCEDURES,
    UNKNOWN_SYSTEM,
    VERIFICATION,
    WAYS,
    a_medicine,
    a_procedure,
    spelt,
)
from tests.cds_service.advice import people

Resource = dict[str, Any]
EXTENSION = "io.surgical-risk.assessment"
CASES = [
    *(("conditions", name, a_condition(code)) for name, code in DIAGNOSES.items()),
    *(("medications", name, a_medicine(code)) for name, code in MEDICINES.items()),
    *(("procedures", name, a_procedure(code)) for name, code in PROCEDURES.items()),
]


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
        if "none recorded" in text.casefold():
            wrong.append((way, text))
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
