"""Every outcome stands on one axis, and each mark where its number is."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from cds_service.cards import discrete
from cds_service.pages import axis, result
from tests import builders
from tests.cds_service.advice import people

KNOWN = (people.result("39156-5", 27.1, "kg/m2"), people.function("INDEPENDENT"), people.result("2160-0", 0.9, "mg/dL"))
PATIENTS = {
    "complete": (people.asa(3), *KNOWN),
    "no ASA class": KNOWN,
    "nothing but age and sex": (),
    "diagnoses not understood": (people.asa(2), *KNOWN, builders.a_condition({"text": "old heart attack"})),
    "severe": (people.asa(4), people.function("TOTAL"), people.result("2160-0", 3.4, "mg/dL")),
}


def told(*resources: builders.Resource) -> list[dict[str, Any]]:
    found: dict[str, Any] = discrete.result(people.an_assessment(*resources))
    return [one for one in found["predictions"] if one.get("shown")]


def chart_of(predictions: list[dict[str, Any]]) -> axis.Chart:
    found = axis.chart([(one["outcome"], one) for one in predictions])
    assert found is not None
    return found


def at(strip: str, kind: str, name: str) -> list[float]:
    """The places of one kind of mark, in percent."""
    elements = re.findall(rf'<\w+ class="{kind}"[^>]*>', strip)
    return [float(re.search(rf' {name}="([\d.]+)%"', element)[1]) for element in elements]  # type: ignore[index]


@pytest.mark.parametrize("resources", PATIENTS.values(), ids=PATIENTS)
def test_every_outcome_with_a_figure_or_a_range_stands_on_the_axis(resources: tuple[builders.Resource, ...]) -> None:
    predictions = told(*resources)
    placed = [one["outcome"] for one in predictions if "probability" in one or "missingRange" in one]
    assert placed
    assert [row.heading for row in chart_of(predictions).rows] == placed


@pytest.mark.parametrize("resources", PATIENTS.values(), ids=PATIENTS)
def test_each_mark_stands_where_its_number_is(resources: tuple[builders.Resource, ...]) -> None:
    predictions = told(*resources)
    chart = chart_of(predictions)
    for row, one in zip(chart.rows, (one for one in predictions if one["outcome"] in rows(chart)), strict=True):

        def percent(value: float) -> float:
            return pytest.approx(100 * value / chart.end, abs=0.01)  # type: ignore[no-any-return]

        usual = [percent(one["peerProbability"])] if "peerProbability" in one else []
        assert at(row.strip, "strip-usual", "x1") == usual
        assert at(row.strip, "strip-own", "cx") == ([percent(one["probability"])] if "probability" in one else [])
        if limits := one.get("missingRange"):
            assert at(row.strip, "strip-missing", "x") == [percent(limits["low"])]
            width = at(row.strip, "strip-missing", "width")[0]
            assert width == pytest.approx(max(100 * (limits["high"] - limits["low"]) / chart.end, 0.3), abs=0.02)


def rows(chart: axis.Chart) -> list[str]:
    return [row.heading for row in chart.rows]


@pytest.mark.parametrize("resources", PATIENTS.values(), ids=PATIENTS)
def test_nothing_stands_beyond_the_axis_and_all_is_told_of_one_denominator(
    resources: tuple[builders.Resource, ...],
) -> None:
    predictions = told(*resources)
    chart = chart_of(predictions)
    ends = [one[name] for one in predictions for name in ("probability", "high", "peerProbability") if name in one]
    ends += [one["missingRange"]["high"] for one in predictions if "missingRange" in one]
    assert max(ends) <= chart.end
    assert f"of {chart.denominator:,}" in chart.spoken
    assert (chart.denominator == 1000) == any(end < 0.01 for end in lows(predictions))


def lows(predictions: list[dict[str, Any]]) -> list[float]:
    found = [one[name] for one in predictions for name in ("probability", "peerProbability") if name in one]
    return found + [one["missingRange"]["low"] for one in predictions if "missingRange" in one]


def test_a_range_is_told_beside_the_figure_and_never_begins_at_0() -> None:
    rows = {row.heading: row for row in chart_of(told(*KNOWN)).rows}
    assert re.fullmatch(r"\d+ \((under )?[1-9]\d* to \d+\)", rows["30-day-death"].own)
    assert re.fullmatch(r"under 1 to \d+", rows["cardiac-arrest-or-mi"].own)
    assert (rows["30-day-death"].band, rows["30-day-death"].usual) == ("", "8")


def test_the_ticks_are_round_and_evenly_spaced() -> None:
    for probability in (0.001, 0.004, 0.03, 0.07, 0.25, 0.29, 0.55, 0.97):
        chart = chart_of([{"outcome": "x", "probability": probability}])
        marks = [float(text) for text in re.findall(r">([\d.]+)</text>", chart.ticks)]
        assert marks[0] == 0
        assert marks[-1] == pytest.approx(chart.denominator * chart.end)
        assert all(mark == round(mark, 1) for mark in marks)
        steps = {round(later - earlier, 6) for earlier, later in itertools.pairwise(marks)}
        assert len(steps) == 1


def test_points_alone_have_no_axis() -> None:
    assert axis.chart([("Heart risk points", {"outcome": "major-cardiac-event", "points": 2})]) is None


def test_a_word_of_comparison_stands_only_where_the_whole_range_lies_in_one_band() -> None:
    """DEC-38, over the patients: what crosses has no word and so no colour."""
    words = {row.band for resources in PATIENTS.values() for row in chart_of(told(*resources)).rows}
    assert "" in words
    for resources in PATIENTS.values():
        read = result.result_rows(discrete.result(people.an_assessment(*resources)), builders.ZONE)
        assert read.chart is not None
        for row, one in zip(read.chart.rows, [one for one in told(*resources) if in_chart(one)], strict=True):
            assert bool(row.band) == (one.get("band", "typical") != "typical")


def test_no_figure_is_called_as_usual_the_two_stand_side_by_side() -> None:
    usual = {"outcome": "any-complication", "probability": 0.268, "peerProbability": 0.18, "band": "typical"}
    (row,) = chart_of([usual]).rows
    assert (row.own, row.usual, row.band) == ("27", "18", "")


def in_chart(one: dict[str, Any]) -> bool:
    return "probability" in one or "missingRange" in one


def test_an_outcome_that_lacks_an_input_is_told_as_the_range_that_the_chart_shows() -> None:
    read = result.result_rows(discrete.result(people.an_assessment(*KNOWN)), builders.ZONE)
    rows = {row.outcome: row for row in read.told}
    heart = rows["cardiac-arrest-or-mi"]
    assert heart.status == "not-computable"
    assert heart.status_words == "a range"
    assert re.fullmatch(r"under 1 to \d+ in 1,000; needs ASA class", heart.answer)
