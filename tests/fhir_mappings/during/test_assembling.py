"""Entries become a course: late, repeated, corrected and withdrawn ones, in whatever order they come."""

from __future__ import annotations

import itertools
import json
from zoneinfo import ZoneInfo

import pytest

from fhir_mappings.during.assembling import course_of
from fhir_mappings.during.case_times import case_times
from fhir_mappings.during.course import CaseEvent, CaseTimes, Course, CourseEntry
from fhir_mappings.during.entries import read_entry
from tests.fhir_mappings.during.observed import BLOOD_LOSS, HEART_RATE, READER, ZERO, at, observation

CASE = CaseTimes(ZERO, ZERO + 3600, "Procedure/1", "", True)


def entry(value: float, *, seconds: float = 60, name: str = "a", version: str = "", **members: object) -> CourseEntry:
    members |= {"id": name or None, "meta": {"versionId": version, **members.pop("meta", {})}}  # type: ignore[dict-item]
    found = read_entry(observation(HEART_RATE, value, "/min", seconds=seconds, **members), READER)
    assert found is not None
    return found


def rates(course: Course) -> list[tuple[float, float]]:
    return [(sample.at - ZERO, sample.value) for trace in course.traces for sample in trace.samples]


def of(*entries: CourseEntry, case: CaseTimes = CASE, as_of: float = ZERO + 3600) -> Course:
    return course_of(entries, case, as_of)


def test_values_stand_in_the_order_of_their_times_whenever_they_came() -> None:
    found = [entry(60 + number, seconds=60 * number, name=str(number)) for number in range(4)]
    wanted = of(*found)
    assert rates(wanted) == [(0, 60), (60, 61), (120, 62), (180, 63)]
    assert all(of(*order) == wanted for order in itertools.permutations(found))


SUPERSEDED = {
    "a higher version": (entry(60, version="1"), entry(70, version="2")),
    "a later update": (
        entry(60, version="9", meta={"lastUpdated": at(100)}),
        entry(70, version="1", meta={"lastUpdated": at(200)}),
    ),
    "corrected": (entry(60), entry(70, status="corrected")),
    "amended": (entry(60, status="preliminary"), entry(70, status="amended")),
    "final": (entry(60, status="preliminary"), entry(70)),
}


@pytest.mark.parametrize("name", SUPERSEDED)
def test_the_later_version_counts_whichever_came_first(name: str) -> None:
    older, newer = SUPERSEDED[name]
    for order in ((older, newer), (newer, older)):
        found = of(*order)
        assert rates(found) == [(60, 70)]
        assert found.left_out == {"replaced": 1}


def test_what_cannot_be_told_apart_counts_as_it_came_last() -> None:
    assert rates(of(entry(60), entry(70))) == [(60, 70)]


def test_a_withdrawn_one_is_gone_whichever_came_first() -> None:
    gone = entry(60, status="entered-in-error")
    for order in ((gone, entry(60)), (entry(60), gone)):
        assert rates(of(*order)) == []
        assert of(*order).left_out == {"replaced": 1, "withdrawn": 1}


def test_a_correction_may_move_a_value_in_time() -> None:
    assert rates(of(entry(60, version="1"), entry(60, seconds=600, version="2"))) == [(600, 60)]


def test_the_same_value_sent_twice_under_two_ids_counts_once() -> None:
    found = of(entry(60, name="a"), entry(60, name="b"), entry(60, name=""), entry(60, name=""))
    assert rates(found) == [(60, 60)]
    assert found.left_out == {"repeated": 3}


@pytest.mark.parametrize(("seconds", "reason"), [(-1, "before-start"), (3601, "after-end"), (0, ""), (3600, "")])
def test_the_case_holds_what_lies_between_its_times(seconds: float, reason: str) -> None:
    found = of(entry(60, seconds=seconds))
    assert found.left_out == ({reason: 1} if reason else {})
    assert len(rates(found)) == (not reason)


def test_a_value_far_ahead_of_the_clock_is_left_out_and_a_little_ahead_is_not() -> None:
    running = CaseTimes(ZERO, None, reason="end-not-recorded")
    found = of(entry(60, seconds=61, name="a"), entry(61, seconds=59, name="b"), case=running, as_of=ZERO)
    assert rates(found) == [(59, 61)]
    assert found.left_out == {"ahead-of-clock": 1}


def test_a_case_without_a_start_holds_nothing() -> None:
    found = of(entry(60), case=CaseTimes(None, None, reason="start-not-recorded"))
    assert rates(found) == []
    assert found.left_out == {"before-start": 1}


def test_what_could_not_be_read_stays_beside_the_course() -> None:
    found = of(entry(60), entry(60, name="b", valueQuantity={"value": 60}))
    assert [(part.about, part.reason) for part in found.unread] == [("heart-rate", "unit-missing")]
    corrected = of(entry(60, name="b", valueQuantity={"value": 60}, version="1"), entry(61, name="b", version="2"))
    assert (corrected.unread, rates(corrected)) == ((), [(60, 61)])


def resource(kind: str = "Procedure", status: str = "completed", **members: object) -> bytes:
    return json.dumps({"resourceType": kind, "id": "1", "status": status, **members}).encode()


def period(start: float | None, end: float | None) -> dict[str, str]:
    return {name: at(value) for name, value in (("start", start), ("end", end)) if value is not None}


@pytest.mark.parametrize(
    ("resources", "start", "end", "ended", "reason"),
    [
        ([resource(performedPeriod=period(0, 60))], 0, 60, True, ""),
        ([resource(status="in-progress", performedPeriod=period(0, None))], 0, None, False, "end-not-recorded"),
        ([resource(status="in-progress", performedPeriod=period(0, 60))], 0, 60, False, "status-not-over"),
        ([resource(performedPeriod=period(0, 9000))], 0, 9000, False, "status-not-over"),
        ([resource(performedPeriod=period(60, 0))], 60, None, False, "end-before-start"),
        ([resource(performedDateTime=at(0))], 0, None, False, "end-not-recorded"),
        ([resource(performedPeriod={"start": "2026-11-29"})], None, None, False, "start-not-recorded"),
        ([resource(status="not-done", performedPeriod=period(0, 60))], None, None, False, "start-not-recorded"),
        ([resource(performedPeriod=period(0, 60)), resource(performedPeriod=period(-60, 90))], -60, 90, True, ""),
        (
            [resource(performedPeriod=period(0, 60)), resource(status="in-progress", performedPeriod=period(5, None))],
            0, None, False, "end-not-recorded",
        ),
        ([resource("Encounter", "finished", period=period(0, 60))], 0, 60, True, ""),
        (
            [resource("Encounter", "finished", period=period(0, 600)), resource(performedPeriod=period(10, 60))],
            10, 60, True, "",
        ),
        (  # a line placed inside an operation that runs, of which nobody wrote the times
            [resource(performedPeriod=period(10, 60)), resource(id="2", status="in-progress")],
            10, None, False, "status-not-over",
        ),
        (
            [resource(performedPeriod=period(10, 60)), resource("Encounter", "in-progress", period=period(0, None))],
            10, None, False, "status-not-over",
        ),
        ([resource(performedPeriod=period(10, 60)), resource(status="completed", id="2")], 10, 60, True, ""),
        ([resource(performedPeriod=period(10, 60)), resource(status="preparation", id="2")], 10, 60, True, ""),
        (  # a return to theatre
            [resource(performedPeriod=period(0, 60)), resource(performedPeriod=period(600, 900))],
            0, None, False, "two-operations-in-one-stay",
        ),
        (
            [resource(performedPeriod=period(0, 60)), resource(performedPeriod=period(9, None), status="in-progress")],
            0, None, False, "end-not-recorded",
        ),
        (
            [resource(performedPeriod=period(0, 60)), resource("Procedure", "on-hold", performedDateTime=at(600))],
            0, None, False, "two-operations-in-one-stay",
        ),
        (
            [
                resource(performedPeriod=period(0, 60)),
                resource(performedPeriod=period(0, 900)),
                resource(performedPeriod=period(600, 700)),
            ],
            0, 900, True, "",
        ),
        ([resource(modifierExtension=[{"url": "x"}], performedPeriod=period(0, 60))], None, None, False, "unreadable"),
        ([b"{"], None, None, False, "unreadable"),
        ([], None, None, False, "start-not-recorded"),
    ],
)  # fmt: skip
def test_a_case_ends_where_all_of_it_was_recorded_as_over(
    resources: list[bytes], start: float | None, end: float | None, ended: bool, reason: str
) -> None:
    found = case_times(resources, ZoneInfo("UTC"), ZERO + 3600)
    told = tuple(None if one is None else one - ZERO for one in (found.start, found.end))
    assert (*told, found.ended, found.reason) == (start, end, ended, reason)


def test_what_was_lost_or_happened_after_the_end_is_left_out_and_named() -> None:
    loss = read_entry(observation(BLOOD_LOSS, 900, "mL", seconds=3660), READER)
    assert loss is not None
    event = CourseEntry("e", None, "", "final", events=(CaseEvent("asystole", ZERO + 4000, "o"),))
    found = of(loss, event)
    assert (found.amounts, found.events, found.late) == ((), (), ("asystole", "blood-loss"))
    assert of(loss, event, case=CaseTimes(ZERO, None)).late == ()
