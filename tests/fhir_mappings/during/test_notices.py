"""A notice: a signal that stays beyond a limit for the stated time; and where values stopped."""

from __future__ import annotations

import msgspec
import pytest

from fhir_mappings.during.course import Course, Sample, SetAside
from fhir_mappings.during.limits import BY_NAME
from fhir_mappings.during.notices import BEYOND_S, RETURN_S, UNSEEN_S, notices, stopped
from tests.fhir_mappings.during.courses import course, every, trace

MAP_65 = BY_NAME["map-below-65"]


def _map(values: list[float], minutes: float | None = None, seconds: float = 1.0) -> Course:
    lasts = minutes if minutes is not None else len(values) * seconds / 60
    return course(trace("mean-pressure", every(seconds, values), "invasive"), minutes=lasts, ended=False)


def _times(one: Course) -> list[tuple[float, float, float | None]]:
    return [(each.begin, each.noticed, each.end) for each in notices(one, {}, [MAP_65])]


@pytest.mark.parametrize(("seconds_low", "noticed"), [(int(BEYOND_S) - 1, False), (int(BEYOND_S), True), (300, True)])
def test_it_takes_the_stated_time(seconds_low: int, noticed: bool) -> None:
    one = _map([80.0] * 60 + [60.0] * seconds_low + [80.0] * 60)
    assert _times(one) == ([(60, 60 + BEYOND_S, 60 + seconds_low)] if noticed else [])


def test_a_brief_return_does_not_end_it_and_a_longer_one_does() -> None:
    brief = [60.0] * 30 + [66.0] * int(RETURN_S) + [60.0] * 30 + [80.0] * 60
    assert _times(_map(brief)) == [(0, BEYOND_S, 70)]
    longer = [60.0] * 30 + [66.0] * (int(RETURN_S) + 1) + [60.0] * 30 + [80.0] * 60
    assert _times(_map(longer)) == []


@pytest.mark.parametrize(("unseen", "noticed"), [(16, True), (int(UNSEEN_S), True), (int(UNSEEN_S) + 1, False)])
def test_a_brief_time_without_a_value_does_not_end_it_and_counts_for_nothing(unseen: int, noticed: bool) -> None:
    """As where a spike was set aside; what stands before and after it makes the 40 s."""
    before, after = every(1.0, [60.0] * 31), every(1.0, [60.0] * 20)
    values = before | {31 + unseen + at: value for at, value in after.items()} | {51 + unseen: 80.0}
    seen = trace("mean-pressure", values, "invasive")
    spike = tuple(SetAside(Sample(31.0 + second, 130.0, "Observation/x", ""), "spike") for second in range(unseen))
    one = course(msgspec.structs.replace(seen, aside=spike), minutes=(52 + unseen) / 60, ended=False)
    assert [each[:2] for each in _times(one)] == ([(0, BEYOND_S + unseen)] if noticed else [])


def test_it_lasts_while_it_is_not_over() -> None:
    assert _times(_map([80.0] * 60 + [60.0] * 100)) == [(60, 100, None)]


def test_a_single_value_of_a_cuff_stands_until_the_next() -> None:
    one = course(trace("mean-pressure", every(300, [80, 58, 80]), "cuff"), minutes=15)
    assert [(each.begin, each.end, each.farthest) for each in notices(one, {}, [MAP_65])] == [(300, 600, 58)]


def test_the_own_baseline_makes_a_limit_and_without_it_there_is_none() -> None:
    one = _map([80.0] * 120)
    assert notices(one, {}) == ()
    assert [each.limit.name for each in notices(one, {"mean-pressure": 110.0})] == ["map-20-below-baseline"]


def test_a_gap_is_no_return_to_the_band_and_no_value_below_it() -> None:
    one = course(trace("mean-pressure", {0: 60, 600: 80}, "invasive"), minutes=11, ended=False)
    assert _times(one) == [(0, 40, 120)]


def test_a_signal_that_stopped_is_told_with_its_last_value() -> None:
    one = course(trace("heart-rate", every(5, [70, 72])), trace("spo2", every(5, [98] * 120)), minutes=10, ended=False)
    assert [(each.signal, each.last.value, each.since) for each in stopped(one)] == [("heart-rate", 72, 125)]
