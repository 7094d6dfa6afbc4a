"""One reading of the time of a result: every form that FHIR R4 has, with everybody who asks when a result was taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_mappings.features import existing_tests
from fhir_mappings.features.existing_tests import TESTS_DAYS
from fhir_mappings.terminology.code_systems import CONCEPT, LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMaps
from tests.builders import PATIENT_ID, Resource, a_record, an_answer, an_observation, coded, date_ago, days_ago, derived

SITE = "https://hospital.example/codes"
IDEAS = (
    "functional-status",
    "functional-status-independent",
    "nausea-or-motion-sickness-question",
    "postoperative-opioid-question",
    "vertebral-attenuation",
    "lumbar-stenosis-grade",
    "lumbar-stenosis-severe",
    "spondylolisthesis",
    "genetic-finding",
    "genetic-finding-present",
    *TESTS_DAYS,
)
MAPS = ConceptMaps({(SITE, idea): ((CONCEPT, idea),) for idea in IDEAS})
RECENT, OLD = days_ago(2), days_ago(40_000)

# Form → what it says: "used" and the flag, "stale", or why it cannot be placed in time (inputs 1.2).
FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "a moment": ({"effectiveDateTime": RECENT}, "used"),
    "a day": ({"effectiveDateTime": date_ago(2)}, "used"),
    "a moment and when it was issued": ({"effectiveDateTime": RECENT, "issued": OLD}, "used"),
    "an instant": ({"effectiveInstant": RECENT}, "used"),
    "an instant, issued otherwise": ({"effectiveInstant": RECENT, "issued": OLD}, "used"),
    "the end of a period": ({"effectivePeriod": {"start": OLD, "end": RECENT}}, "used"),
    "an open period": ({"effectivePeriod": {"start": RECENT}}, "used"),
    "a period, issued otherwise": ({"effectivePeriod": {"end": RECENT}, "issued": OLD}, "used"),
    "an event": ({"effectiveTiming": {"event": [RECENT]}}, "used"),
    "the last of two events": ({"effectiveTiming": {"event": [RECENT, OLD]}}, "used"),
    "events and when it was issued": ({"effectiveTiming": {"event": [OLD, RECENT]}, "issued": OLD}, "used"),
    "bounds of a timing": ({"effectiveTiming": {"repeat": {"boundsPeriod": {"start": OLD, "end": RECENT}}}}, "used"),
    "only issued": ({"issued": RECENT}, "used issued-time"),
    "an empty period and issued": ({"effectivePeriod": {}, "issued": RECENT}, "used issued-time"),
    "a timing without a time and issued": (
        {"effectiveTiming": {"code": {"text": "BID"}}, "issued": RECENT},
        "used issued-time",
    ),
    "a moment long ago": ({"effectiveDateTime": OLD, "issued": RECENT}, "stale"),
    "an instant long ago": ({"effectiveInstant": OLD, "issued": RECENT}, "stale"),
    "a period long ago": ({"effectivePeriod": {"start": OLD, "end": OLD}, "issued": RECENT}, "stale"),
    "events long ago": ({"effectiveTiming": {"event": [OLD]}, "issued": RECENT}, "stale"),
    "bounds long ago": ({"effectiveTiming": {"repeat": {"boundsPeriod": {"end": OLD}}}, "issued": RECENT}, "stale"),
    "issued long ago": ({"issued": OLD}, "stale"),
    "none": ({}, "no-time"),
    "an empty period": ({"effectivePeriod": {}}, "no-time"),
    "a timing without a time": ({"effectiveTiming": {"code": {"text": "BID"}}}, "no-time"),
    "words": ({"effectiveDateTime": "last week", "issued": RECENT}, "date-unreadable"),
    "words in a period": ({"effectivePeriod": {"end": "last week"}}, "date-unreadable"),
    "words as an event": ({"effectiveTiming": {"event": ["last week"]}}, "date-unreadable"),
    "words as issued": ({"issued": "last week"}, "date-unreadable"),
    "next month": ({"effectiveDateTime": days_ago(-30)}, "future"),
    "a period until next month": ({"effectivePeriod": {"start": RECENT, "end": days_ago(-30)}}, "future"),
    "an event next month": ({"effectiveTiming": {"event": [RECENT, days_ago(-30)]}}, "future"),
    "a year that is not over": ({"effectiveDateTime": "2026"}, "date-imprecise"),
    "a year that is not over, as a period": ({"effectivePeriod": {"end": "2026"}}, "date-imprecise"),
}
OF_REPORTS = [
    name for name, (members, _) in FORMS.items() if not {"effectiveInstant", "effectiveTiming"} & set(members)
]
UNTIMED: dict[str, Any] = {"effectiveDateTime": None}

Build = Callable[..., Resource]


def numbered(code: str, value: float, unit: str) -> Build:
    return lambda **members: an_observation(code, value, unit, **UNTIMED | members)


def answering(code: str | dict[str, Any], *answers: tuple[str, str]) -> Build:
    return lambda **members: an_answer(code, *answers, **UNTIMED | members)


def of_the_site(idea: str, answer: str = "") -> Build:
    if answer:
        return answering(coded((SITE, idea)), (SITE, answer))
    return lambda **members: an_observation(coded((SITE, idea)), 95, "[hnsf'U]", **UNTIMED | members)


def asked(idea: str) -> Build:
    return lambda **members: an_observation(coded((SITE, idea)), None, valueBoolean=True, **UNTIMED | members)


def a_panel(**members: Any) -> Resource:
    part = {"code": coded((LOINC, "718-7")), "valueQuantity": {"value": 12, "unit": "g/dL", "code": "g/dL"}}
    return an_observation("58410-2", None, component=[part], **UNTIMED | members)


def a_report(idea: str) -> Build:
    return lambda **members: {
        "resourceType": "DiagnosticReport", "id": "dr-1", "status": "final", "code": coded((LOINC, "18748-4")),
        "subject": {"reference": f"Patient/{PATIENT_ID}"}, "conclusionCode": [coded((SITE, idea))], **members,
    }  # fmt: skip


FEATURES_READ: dict[str, tuple[str, Build]] = {
    "a number": ("creatinine", numbered("2160-0", 1.1, "mg/dL")),
    "a vital sign": ("weight", numbered("29463-7", 80, "kg")),
    "a part of a panel": ("haemoglobin", a_panel),
    "an answer": ("asa_class", answering("97816-3", (SNOMED_CT, "413497009"))),
    "an answer about smoking": ("smoking_status", answering("72166-2", (LOINC, "LA18978-9"))),
    "an answer by a map": ("functional_status", of_the_site("functional-status", "functional-status-independent")),
    "a question": ("nausea_or_motion_sickness_history", asked("nausea-or-motion-sickness-question")),
    "a plan": ("postoperative_opioid_planned", asked("postoperative-opioid-question")),
    "a reported outcome": ("pain_score", numbered("72514-3", 7, "{score}")),
    "an imaging number": ("vertebral_attenuation", of_the_site("vertebral-attenuation")),
    "a grade": ("lumbar_stenosis_grade", of_the_site("lumbar-stenosis-grade", "lumbar-stenosis-severe")),
    "a genetic result": ("genetic_finding", of_the_site("genetic-finding", "genetic-finding-present")),
}
CONCLUDED = {"lumbar_stenosis_grade": "lumbar-stenosis-severe", "spondylolisthesis": "spondylolisthesis"}


def said(status: str, reason: str | None, flags: tuple[str, ...]) -> str:
    if status in ("used", "used-with-conversion"):
        return "used issued-time" if "issued-time" in flags else "used"
    return "stale" if status == "stale" else str(reason)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reader", FEATURES_READ)
def test_a_result_is_placed_in_time_by_every_form(reader: str, form: str) -> None:
    name, build = FEATURES_READ[reader]
    members, expected = FORMS[form]
    found = derived(build(**members), maps=MAPS)[name]
    assert said(found.status, found.reason, found.flags) == expected


@pytest.mark.parametrize("form", OF_REPORTS)
@pytest.mark.parametrize("name", CONCLUDED)
def test_what_a_report_concludes_is_placed_in_time_by_every_form_it_has(name: str, form: str) -> None:
    members, expected = FORMS[form]
    found = derived(a_report(CONCLUDED[name])(**members), maps=MAPS)[name]
    if expected == "stale":  # one that is too old is as if there were none
        assert (found.value, found.source) in ((None, None), (False, None))
    else:
        assert said(found.status, found.reason, found.flags) == expected
        assert found.source == "DiagnosticReport/dr-1"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("test", TESTS_DAYS)
def test_a_test_is_done_not_done_or_neither_as_its_result_is_used(test: str, form: str) -> None:
    members, expected = FORMS[form]
    found = existing_tests.read_existing_tests(a_record(numbered_of(test)(**members), maps=MAPS))
    verdict = (test in found.done, test in found.not_done)
    assert verdict == {"used": (True, False), "stale": (False, True)}.get(expected.split()[0], (False, False))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("test", "code", "unit"), [("ferritin", "2276-4", "ng/mL"), ("transferrin-saturation", "2502-3", "%")]
)
def test_a_number_of_the_iron_stores_agrees_with_whether_it_was_done(
    test: str, code: str, unit: str, form: str
) -> None:
    members, expected = FORMS[form]
    found = existing_tests.read_existing_tests(a_record(numbered(code, 20, unit)(**members)))
    result = found.results[test]
    assert said(result.status, result.reason, result.flags) == expected
    assert result.usable == (test in found.done)
    assert not (result.usable and test in found.not_done)


def numbered_of(test: str) -> Build:
    return lambda **members: an_observation(coded((SITE, test)), 20, "ng/mL", **UNTIMED | members)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_cannot_be_placed_leaves_open_whether_she_is_pregnant(form: str) -> None:
    members, expected = FORMS[form]
    found = a_record(answering("82810-3", (LOINC, "LA15173-0"))(**members)).pregnancy
    assert found == {"used": "yes", "stale": "no"}.get(expected.split()[0], "unknown")


@pytest.mark.parametrize("form", [form for form, (_, expected) in FORMS.items() if expected.split()[0] == "used"])
def test_a_result_that_no_reader_takes_is_seen_where_it_is_the_newest(form: str) -> None:
    older = an_observation("2160-0", 1.1, "mg/dL", id="older", effectiveDateTime=days_ago(20))
    newer = numbered("2160-0", 9.9, "mg/dL")(component=5, **FORMS[form][0])
    found = derived(older, newer)["creatinine"]
    assert (found.value, "newer-unreadable" in found.flags) == (1.1, True)


def test_the_last_event_is_the_latest_in_whatever_zone_it_is_written() -> None:
    events = ["2026-11-19T11:00:00+14:00", "2026-11-19T00:30:00Z", "2026-11-18T23:00:00Z"]
    found = derived(numbered("2160-0", 1.1, "mg/dL")(effectiveTiming={"event": events}))["creatinine"]
    assert found.time == datetime(2026, 11, 19, 0, 30, tzinfo=UTC)


def test_an_event_that_is_no_time_hides_no_other() -> None:
    found = derived(numbered("2160-0", 1.1, "mg/dL")(effectiveTiming={"event": ["soon", RECENT]}))["creatinine"]
    assert found.status == "used"
