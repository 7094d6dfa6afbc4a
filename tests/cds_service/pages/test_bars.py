"""What an input adds is told in people, adds up to the figure, and is drawn on one scale for the page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.cards import discrete
from cds_service.pages import bars, result
from tests import builders
from tests.cds_service.advice import people
from tests.cds_service.pages.test_axis import PATIENTS


def explained(*resources: builders.Resource) -> list[dict[str, Any]]:
    found = discrete.result(people.an_assessment(*resources))["predictions"]
    return [one for one in found if one.get("contributions")]


@pytest.mark.parametrize("resources", PATIENTS.values(), ids=PATIENTS)
def test_reference_and_points_add_up_to_the_figure(resources: tuple[builders.Resource, ...]) -> None:
    for one in explained(*resources):
        reference, found = bars.points(one)
        figure = one["probability"] if "probability" in one else one["missingRange"]["low"]
        assert reference + sum(found.values()) == pytest.approx(figure, abs=1e-9)
        assert 0 < reference < 1


def test_points_point_the_way_of_their_log_odds_also_where_they_cancel() -> None:
    one = {"probability": 0.2, "contributions": [{"input": "age", "logOdds": 0.5}, {"input": "sex", "logOdds": -0.5}]}
    reference, found = bars.points(one)
    assert reference == pytest.approx(0.2)
    assert found == {"age": pytest.approx(0.5 * 0.2 * 0.8), "sex": pytest.approx(-0.5 * 0.2 * 0.8)}


@pytest.mark.parametrize("resources", PATIENTS.values(), ids=PATIENTS)
def test_one_scale_holds_for_all_bars_of_a_page(resources: tuple[builders.Resource, ...]) -> None:
    read = result.result_rows(discrete.result(people.an_assessment(*resources)), builders.ZONE)
    shown = [bar for risk in (*read.told, *read.others) if risk.pulls for bar in risk.pulls.bars]
    longest = max(abs(bar.points) for bar in shown)
    for bar in shown:
        width = float(re.search(r'width="([\d.]+)"', bar.picture)[1])  # type: ignore[index]
        assert width == pytest.approx(96 * abs(bar.points) / longest, abs=0.06)
        assert ("pull-more" in bar.picture) == (bar.points >= 0)


def test_what_rounds_to_nobody_is_no_bar() -> None:
    one = {"probability": 0.2, "contributions": [{"input": "age", "logOdds": 0.5}, {"input": "sex", "logOdds": 0.001}]}
    found = bars.pulls(one, 100, bars.longest([one]))
    assert [(bar.input, bar.moves) for bar in found.bars] == [("age", True), ("sex", False)]
    assert found.bars[0].words.startswith("+")
