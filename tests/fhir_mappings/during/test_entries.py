"""One Observation, read for the course: codes, units, times, devices, and what cannot be used of it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.during.course import CourseEntry, UnreadPart
from fhir_mappings.during.entries import read_entry, reader
from fhir_mappings.during.signal_rules import RULES, SETS, SIGNAL_OF
from fhir_mappings.terminology.check_digits import is_plausible
from tests.fhir_mappings.during.observed import (
    BLOOD_LOSS,
    HEART_RATE,
    MAP_INVASIVE,
    READER,
    SPO2,
    ZERO,
    at,
    concept,
    observation,
    quantity,
)

SNOMED = "http://snomed.info/sct"


def read(raw: bytes) -> CourseEntry:
    entry = read_entry(raw, READER)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    ("code", "value", "unit", "signal", "way", "told"),
    [
        (HEART_RATE, 72, "/min", "heart-rate", "unstated", 72),
        (HEART_RATE, 72, "{beats}/min", "heart-rate", "unstated", 72),
        (MAP_INVASIVE, 65, "mm[Hg]", "mean-pressure", "invasive", 65),
        ("76536-2", 65, "mm[Hg]", "mean-pressure", "cuff", 65),
        ("8478-0", 10, "kPa", "mean-pressure", "unstated", 75.006376),
        ("76215-3", 120, "mm[Hg]", "systolic-pressure", "invasive", 120),
        ("76535-4", 60, "mm[Hg]", "diastolic-pressure", "cuff", 60),
        (SPO2, 97, "%", "spo2", "unstated", 97),
        ("8310-5", 36.4, "Cel", "temperature", "unstated", 36.4),
        ("8310-5", 97.7, "[degF]", "temperature", "unstated", 36.5),
        ("8310-5", 309.15, "K", "temperature", "unstated", 36),
    ],
)
def test_a_value_is_read_in_the_unit_of_its_signal(
    code: str, value: float, unit: str, signal: str, way: str, told: float
) -> None:
    entry = read(observation(code, value, unit, seconds=30))
    assert [(one, how, sample.value, sample.at) for one, how, sample in entry.samples] == [
        (signal, way, told, ZERO + 30)
    ]
    assert not entry.unread


@pytest.mark.parametrize("text", ["mmHg", "MMHG", "torr"])
def test_units_in_words_are_read_as_monitors_write_them(text: str) -> None:
    entry = read(observation(MAP_INVASIVE, 70, "", valueQuantity={"value": 70, "unit": text}))
    assert entry.samples[0][2].value == 70


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"valueQuantity": quantity(70, "mg/dL")}, "unit-mismatch"),
        ({"valueQuantity": {"value": 70}}, "unit-missing"),
        ({"valueQuantity": quantity(7000, "mm[Hg]")}, "implausible"),
        ({"valueQuantity": {**quantity(70, "mm[Hg]"), "comparator": "<"}}, "censored"),
        ({"valueQuantity": None, "dataAbsentReason": concept("not-performed")}, "not-done"),
        ({"valueQuantity": {"value": "seventy"}}, "unreadable"),
        (
            {"valueQuantity": None, "valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1}},
            "non-numeric",
        ),
        ({"effectiveDateTime": None}, "no-time"),
        ({"effectiveDateTime": "2026-11-29"}, "no-time-of-day"),
        ({"effectiveDateTime": None, "issued": at(0)}, "time-of-issue-only"),
        ({"status": "registered"}, "awaited"),
        ({"status": "unknown"}, "result-status-unknown"),
        ({"modifierExtension": [{"url": "x"}]}, "unreadable"),
        ({"device": "a text"}, "unreadable"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_reason_and_is_no_value(members: dict[str, object], reason: str) -> None:
    entry = read(observation(MAP_INVASIVE, 70, "mm[Hg]", **members))
    assert entry.unread == (UnreadPart("Observation/o-76214-6-0", "mean-pressure", reason),)
    assert not entry.samples


@pytest.mark.parametrize(
    ("subject", "about", "reason"),
    [({"reference": "Patient/p2"}, "", "another-patient"), (None, "heart-rate", "subject-unknown")],
)
def test_an_observation_of_somebody_else_is_no_part_of_the_course(subject: object, about: str, reason: str) -> None:
    entry = read(observation(HEART_RATE, 60, "/min", subject=subject))
    assert (entry.samples, entry.unread) == ((), (UnreadPart("", about, reason),))


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_one_holds_nothing(status: str) -> None:
    entry = read(observation(HEART_RATE, 60, "/min", status=status))
    assert entry.withdrawn
    assert not entry.samples
    broken = read(observation(HEART_RATE, 60, "/min", status=status, modifierExtension=[{"url": "x"}]))
    assert broken.withdrawn


def test_a_panel_gives_each_of_its_components() -> None:
    parts = [
        {"code": concept(code), "valueQuantity": quantity(value, "mm[Hg]")}
        for code, value in (("8480-6", 120), ("8462-4", 60), ("8478-0", 80))
    ]
    entry = read(observation("85354-9", 0, "", valueQuantity=None, component=parts))
    assert {(signal, sample.value) for signal, _, sample in entry.samples} == {
        ("systolic-pressure", 120),
        ("diastolic-pressure", 60),
        ("mean-pressure", 80),
    }


def test_the_offset_of_a_clock_is_taken_out_and_of_no_other() -> None:
    by = reader("p1", ZoneInfo("UTC"), ahead_s={"Device/m1": 90.0})
    late = {"device": {"reference": "Device/m1"}}
    entry = read_entry(observation(HEART_RATE, 60, "/min", seconds=100, **late), by)
    other = read_entry(observation(HEART_RATE, 60, "/min", seconds=100, device={"identifier": {"value": "m2"}}), by)
    assert entry is not None
    assert other is not None
    assert [sample.at - ZERO for one in (entry, other) for _, _, sample in one.samples] == [10, 100]


def test_a_text_without_zone_is_of_the_hospital() -> None:
    entry = read(observation(HEART_RATE, 60, "/min", effectiveDateTime="2026-11-29T09:00:00"))
    assert entry.samples[0][2].at == ZERO


def test_a_volume_of_a_period_keeps_its_start() -> None:
    period = {"effectiveDateTime": None, "effectivePeriod": {"start": at(0), "end": at(600)}}
    amount = read(observation(BLOOD_LOSS, 0.25, "L", **period)).amounts[0]
    assert (amount.kind, amount.millilitres, amount.start, amount.at) == ("blood-loss", 250, ZERO, ZERO + 600)
    instant = read(observation(BLOOD_LOSS, 250, "mL")).amounts[0]
    assert instant.start is None


@pytest.mark.parametrize(
    ("members", "events", "unread"),
    [
        ({"code": concept("397829000", SNOMED)}, ["asystole"], []),
        ({"code": concept("397829000", SNOMED), "valueBoolean": True}, ["asystole"], []),
        ({"code": concept("397829000", SNOMED), "valueBoolean": False}, [], []),
        ({"code": concept("397829000", SNOMED), "valueString": "see note"}, [], ["unclear"]),
        ({"code": concept("27885002", SNOMED)}, ["bradyarrhythmia"], []),
        ({"code": concept("8884-9"), "valueCodeableConcept": concept("5609005", SNOMED)}, ["bradyarrhythmia"], []),
    ],
)
def test_an_event_is_what_somebody_recorded(members: dict[str, object], events: list[str], unread: list[str]) -> None:
    entry = read(observation("", 0, "", valueQuantity=None, **members))
    assert ([one.kind for one in entry.events], [part.reason for part in entry.unread]) == (events, unread)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"resourceType": "Patient", "id": "p1"}', b"\xff"])
def test_what_is_no_observation_says_nothing(raw: bytes) -> None:
    assert read_entry(raw, READER) is None


def test_an_observation_of_something_else_says_nothing() -> None:
    assert read_entry(observation("2160-0", 1, "mg/dL"), READER) is None
    assert read_entry(observation("2708-6", 97, "%"), READER) is None  # of arterial blood, not of the oximeter


def test_every_code_may_be_one_of_its_system_and_means_one_thing() -> None:
    seen: dict[tuple[str, str], str] = {}
    for one in SETS.by_id.values():
        for rule in one.includes:
            assert is_plausible(rule.system, rule.value)
            assert seen.setdefault((rule.system, rule.value), one.id) == one.id
    assert {signal for signal, _ in SIGNAL_OF.values()} == set(RULES)


@pytest.mark.parametrize(
    ("codes", "unit", "second"),
    [
        (("8867-4",), "/min", False),
        (("8889-8",), "/min", True),
        (("8867-4", "8889-8"), "/min", False),
        (("8310-5",), "Cel", True),
        (("8329-5",), "Cel", False),
    ],
)
def test_the_code_says_whether_another_goes_before_it(codes: tuple[str, ...], unit: str, second: bool) -> None:
    coding = [{"system": "http://loinc.org", "code": code} for code in codes]
    ((_, _, sample),) = read(observation(codes[0], 37, unit, code={"coding": coding})).samples
    assert sample.second == second
