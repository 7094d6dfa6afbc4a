"""Read week by week a record gives the figures that it gives when the whole of it is read at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine

from cds_service.monitoring import input_drift, outcome_tally, reading, series
from cds_service.monitoring.reading import WeeklyReading
from tests.cds_service.monitoring import a_random_record
from tests.cds_service.monitoring.a_random_record import HORIZONS, TENANT, UNTIL
from tests.cds_service.monitoring.whole_reading import Whole

SEEDS = range(6)
OTHERWISE = ("drift", "lists")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = a_random_record.empty(tmp_path_factory.mktemp("random"))
    yield engine
    engine.dispose()


@pytest.fixture(params=SEEDS)
def both(
    engine: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[WeeklyReading, Whole]:
    for module, name, fewest in (
        (outcome_tally, "FEWEST", 5),
        (input_drift, "FEWEST_BEFORE", 10),
        (input_drift, "FEWEST", 3),
    ):
        monkeypatch.setattr(module, name, fewest)
    a_random_record.refill(engine, request.param)
    by_weeks = reading.weekly_reading(engine, TENANT, today=UNTIL, horizons=HORIZONS, zone=None)
    return by_weeks, Whole(engine, TENANT, by_weeks.over, HORIZONS)


def test_every_stream_is_the_same(both: tuple[WeeklyReading, Whole]) -> None:
    by_weeks, whole = both
    expected = whole.counted()
    found = {(one.figure, one.label): one.streams for one in by_weeks.series() if one.figure not in OTHERWISE}
    never = {key for key in expected if key[0] == "missing" and key[1] in by_weeks.never_had}
    assert found.keys() >= expected.keys() - never
    for key, streams in found.items():
        there = {
            int(week): (streams.first[0, week], streams.totals[0, week]) for week in streams.totals[0].nonzero()[0]
        }
        assert there.keys() == expected.get(key, {}).keys(), key
        for week, counted in there.items():
            assert counted == pytest.approx(expected[key][week], rel=1e-12, abs=1e-12), (key, week)


def test_the_lists_of_every_day_are_the_same(both: tuple[WeeklyReading, Whole]) -> None:
    by_weeks, whole = both
    found = {one.label: one.streams for one in by_weeks.series() if one.figure == "lists"}
    assert found.keys() == series.INPUTS_OF.keys()
    for name, streams in found.items():
        there = streams.totals[0].nonzero()[0]
        counted = {int(day): (streams.first[0, day], streams.totals[0, day]) for day in there}
        assert counted == whole.lists(series.INPUTS_OF[name])


def test_the_parts_of_an_input_and_its_values_are_the_same(both: tuple[WeeklyReading, Whole]) -> None:
    by_weeks, whole = both
    found = {one.label: one.streams.first[0] for one in by_weeks.series() if one.figure == "drift"}
    expected = {name: bins for name in ("age", "haemoglobin", "creatinine") if (bins := whole.bins(name)) is not None}
    assert found.keys() == expected.keys() == {"age", "haemoglobin", "creatinine"}
    for name, bins in expected.items():
        assert np.array_equal(found[name], bins), name


def test_the_operations_of_every_outcome_are_the_same(both: tuple[WeeklyReading, Whole]) -> None:
    by_weeks, whole = both
    assert by_weeks.outcomes.standings() == whole.standings(UNTIL)
    expected = {key: of for key, of in whole.outcomes(UNTIL).items() if len(of) >= 5}
    found = {(one.outcome, one.label): one for one in by_weeks.outcomes.charts()}
    assert found.keys() == expected.keys()
    assert by_weeks.outcomes.numbers() == Counter("subgroups" if label else "calibration" for _, label in expected)
    for key, of in expected.items():
        risks, happened, days, countable = zip(*of, strict=True)
        assert found[key].risks.tolist() == list(risks)
        assert found[key].happened.tolist() == list(map(float, happened))
        weeks = [(day - found[key].first_monday).days // 7 for day in days]
        assert found[key].weeks.tolist() == weeks
        assert found[key].countable.tolist() == np.maximum.accumulate([one.toordinal() for one in countable]).tolist()


def test_calls_operations_and_reasons_are_the_same(both: tuple[WeeklyReading, Whole]) -> None:
    by_weeks, whole = both
    assert (by_weeks.calls, by_weeks.operations) == (len(whole.rows), len(whole.planned))
    silent = (row.reason or "" for row in whole.rows.values() if row.decision == "silence")
    assert by_weeks.silences == Counter(silent)
    overridden = (reason or "no reason given" for _, _, outcome, reason, *_ in whole.cards if outcome == "overridden")
    assert by_weeks.overrides == Counter(overridden)
    named = {one["name"] for _, row in whole.standing for one in row.inputs}
    had = {one["name"] for _, row in whole.standing for one in row.inputs if one["status"].startswith("used")}
    assert by_weeks.never_had == tuple(sorted(named - had))
