"""Exposures: by hand, and against an integration that is written separately, on a thousand random courses with gaps."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from fhir_mappings.during.course import CaseTimes, Course, Sample, Trace, Way
from fhir_mappings.during.exposures import exposure, exposures
from fhir_mappings.during.limits import BY_NAME, LIMITS, Limit
from fhir_mappings.during.signal_rules import RULES
from fhir_mappings.during.steps import gaps, steps
from tests.fhir_mappings.during.courses import course, every, trace

MAP_65 = BY_NAME["map-below-65"]
RELATIVE = BY_NAME["map-20-below-baseline"]


def test_ten_minutes_at_60_are_ten_minutes_and_fifty() -> None:
    values = every(60, [75] * 10 + [60] * 10 + [75] * 10)
    found = exposure(course(trace("mean-pressure", values, "invasive"), minutes=30), MAP_65)
    assert (found.minutes, found.area, found.episodes, found.seen, found.unseen) == (10, 50, 1, 30, 0)
    assert found.average == pytest.approx(50 / 30, abs=1e-12)
    assert found.longest is not None
    assert (found.longest.begin, found.longest.end, found.longest.farthest) == (600, 1200, 60)


def test_the_limit_itself_is_not_below_it() -> None:
    found = exposure(course(trace("mean-pressure", every(60, [65] * 5)), minutes=5), MAP_65)
    assert (found.minutes, found.area, found.longest, found.episodes) == (0, 0, None, 0)


def test_a_gap_is_unseen_and_ends_an_episode() -> None:
    values = {0.0: 60.0, 60.0: 60.0, 600.0: 60.0}
    found = exposure(course(trace("mean-pressure", values, "invasive"), minutes=20), MAP_65)
    assert (found.minutes, found.episodes, found.seen, found.unseen) == (5, 2, 5, 15)


def test_an_arterial_line_counts_before_the_cuff_and_the_cuff_in_its_gap() -> None:
    arterial = trace("mean-pressure", every(60, [80, 80]), "invasive")
    cuff = trace("mean-pressure", every(300, [50, 50]), "cuff")
    found = steps(course(arterial, cuff, minutes=10), "mean-pressure")
    assert [(step.begin, step.end, step.way) for step in found] == [
        (0, 60, "invasive"),
        (60, 180, "invasive"),
        (180, 300, "cuff"),
        (300, 600, "cuff"),
    ]
    assert exposure(course(arterial, cuff, minutes=10), MAP_65).minutes == 7


@pytest.mark.parametrize(
    ("one", "baseline", "reason"),
    [
        (course(), None, "not-recorded"),
        (course(trace("spo2", {0: 97})), None, "not-recorded"),
        (Course(CaseTimes(None, None), 600.0), None, "start-not-recorded"),
    ],
)
def test_what_was_not_recorded_has_no_exposure(one: Course, baseline: float | None, reason: str) -> None:
    found = exposure(one, MAP_65, baseline)
    assert (found.reason, found.minutes, found.area, found.average) == (reason, None, None, None)


def test_a_relative_limit_needs_a_baseline_and_rests_on_it() -> None:
    one = course(trace("mean-pressure", every(60, [70] * 10)), minutes=10)
    assert exposure(one, RELATIVE).reason == "no-baseline"
    found = exposure(one, RELATIVE, 100.0)
    assert (found.at, found.minutes, found.area) == (80, 10, 100)
    assert exposure(one, RELATIVE, 80.0).minutes == 0


def test_a_running_case_is_told_until_now() -> None:
    one = course(trace("mean-pressure", every(60, [60] * 10)), minutes=10, ended=False)
    assert exposure(one, MAP_65).minutes == 10


def test_a_value_a_little_ahead_of_now_stands_for_no_time_yet() -> None:
    values = every(60, [60] * 10) | {630.0: 60.0}
    one = course(trace("mean-pressure", values), minutes=10, ended=False)
    assert (exposure(one, MAP_65).minutes, exposure(one, MAP_65).seen) == (10, 10)
    assert all(step.end > step.begin for step in steps(one, "mean-pressure"))


def test_every_limit_has_a_source() -> None:
    assert all(limit.source and limit.words for limit in LIMITS)
    told = exposures(course(trace("spo2", every(60, [88] * 10)), minutes=10), {})
    assert [one.limit for one in told] == list(LIMITS)
    assert told[2].minutes == 10


def test_gaps_are_what_no_step_covers() -> None:
    found = steps(course(trace("heart-rate", {10.0: 70.0, 400.0: 70.0}), minutes=10), "heart-rate")
    assert gaps(found, 0, 600) == [(0, 10), (130, 400), (520, 600)]


# The oracle: another way to the same numbers. It knows the definition alone: at an instant the newest value of the
# first way that has one no older than it holds; it cuts time wherever anything can change and looks at each piece.


def _value_at(one: Course, limit: Limit, instant: float) -> float | None:
    for way in ("invasive", "cuff", "unstated"):
        holds = RULES[limit.signal].holds_s[way]
        for each in one.traces:
            if (each.signal, each.way) == (limit.signal, way):
                before = [sample for sample in each.samples if sample.at <= instant]
                if before and instant < before[-1].at + holds:
                    return before[-1].value
    return None


def _pieces(one: Course, limit: Limit, end: float) -> Iterator[tuple[float, float, float | None]]:
    start = one.case.start
    assert start is not None
    cuts = {start, end}
    for each in one.traces:
        for sample in each.samples:
            cuts |= {sample.at, sample.at + RULES[limit.signal].holds_s[each.way]}
    inside = sorted(cut for cut in cuts if start <= cut <= end)
    for begin, until in pairwise(inside):
        yield begin, until, _value_at(one, limit, (begin + until) / 2)


def _oracle(one: Course, limit: Limit, at: float, end: float) -> dict[str, float]:
    minutes = area = seen = longest = run = 0.0
    count = 0
    for begin, until, value in _pieces(one, limit, end):
        seen += 0.0 if value is None else until - begin
        depth = 0.0 if value is None else (at - value if limit.side == "below" else value - at)
        if depth > 0:
            minutes += until - begin
            area += depth * (until - begin)
            count += run == 0.0
            run += until - begin
            longest = max(longest, run)
        else:
            run = 0.0
    return {"minutes": minutes / 60, "area": area / 60, "seen": seen, "longest": longest / 60, "episodes": count}


def _random_course(draw: random.Random) -> Course:
    end = draw.uniform(600, 6000)
    traces = []
    ways: tuple[Way, ...] = ("invasive", "cuff", "unstated")
    for way in draw.sample(ways, draw.randint(1, 3)):
        at, samples = draw.uniform(0, 200), []
        while at < end:
            samples.append(Sample(at, draw.uniform(40, 95), "o"))
            at += draw.choice((1.0, 5.0, 60.0, 300.0, draw.uniform(0.5, 900)))
        traces.append(Trace("mean-pressure", way, tuple(samples)))
    ended = draw.random() < 0.5
    as_of = end if ended else draw.uniform(300, end)
    traces = [Trace(one.signal, one.way, tuple(s for s in one.samples if s.at <= as_of)) for one in traces]
    return Course(CaseTimes(0.0, end if ended else None, ended=ended), as_of, tuple(traces))


def test_a_thousand_random_courses_agree_with_another_integration() -> None:
    draw = random.Random(20261129)
    seen_gaps = 0
    for _ in range(1000):
        one = _random_course(draw)
        limit, baseline = draw.choice(((MAP_65, None), (RELATIVE, draw.uniform(60, 110))))
        at = limit.at(baseline)
        assert at is not None
        wanted, found = _oracle(one, limit, at, one.as_of), exposure(one, limit, baseline)
        if not any(each.samples for each in one.traces):
            assert found.reason == "not-recorded"
            continue
        if found.reason:
            assert wanted["seen"] == 0
            continue
        assert found.minutes is not None
        assert found.area is not None
        assert found.average is not None
        assert found.seen is not None
        longest = found.longest.seconds / 60 if found.longest else 0.0
        for told, number in (
            (found.minutes, wanted["minutes"]),
            (found.area, wanted["area"]),
            (found.seen * 60, wanted["seen"]),
            (longest, wanted["longest"]),
            (found.average, wanted["area"] * 60 / wanted["seen"]),
        ):
            assert math.isclose(told, number, rel_tol=1e-9, abs_tol=1e-9)
        assert found.episodes == wanted["episodes"]
        seen_gaps += (found.unseen or 0) > 1
    assert seen_gaps > 500
