"""Faults that are written into a record stand on its page on their day or in their week, and nothing else does."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from cds_service.monitoring import monitor_page, prometheus, watch
from cds_service.monitoring.monitors import monitors
from cds_service.monitoring.watch import Watched
from tests.cds_service.monitoring import a_record
from tests.cds_service.monitoring.a_record import BROKEN_DAY, MONDAY, NEW_CODE_WEEK, TENANT, UNIT_WEEK, WEEKS


def _watched(folder: Path, *, faults: bool, until: date = MONDAY + timedelta(weeks=WEEKS)) -> Watched:
    engine = a_record.written(folder, faults=faults)
    try:
        return watch.of_tenant(engine, TENANT, today=until, horizons={"any-complication": None}, limits=monitors())
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return _watched(tmp_path_factory.mktemp("faults"), faults=True)


def _first(watched: Watched, figure: str, label: str = "") -> date:
    return min(day for day, of in watched.alarms(figure) if of == label)


def test_a_day_without_laboratory_results_is_told_on_that_day(watched: Watched) -> None:
    week, weekday = BROKEN_DAY
    assert _first(watched, "lists", "laboratory results") == MONDAY + timedelta(days=7 * week + weekday)


def test_a_unit_change_is_told_in_its_week(watched: Watched) -> None:
    assert _first(watched, "drift", "haemoglobin") == MONDAY + timedelta(weeks=UNIT_WEEK)


def test_a_new_order_code_is_told_within_two_weeks(watched: Watched) -> None:
    assert _first(watched, "unmapped") <= MONDAY + timedelta(weeks=NEW_CODE_WEEK + 1)


def test_an_operation_that_was_asked_about_twice_counts_once(watched: Watched) -> None:
    assert watched.calls == 2 * 20 * WEEKS
    assert watched.operations == 20 * WEEKS - 5 * (WEEKS - NEW_CODE_WEEK)


def test_a_record_without_faults_has_no_alarm(tmp_path: Path) -> None:
    quiet = _watched(tmp_path, faults=False)
    assert {name: quiet.alarms(name) for name in quiet.charts if quiet.alarms(name)} == {}


def test_a_young_record_judges_nothing_and_says_so(tmp_path: Path) -> None:
    young = _watched(tmp_path, faults=False, until=MONDAY + timedelta(weeks=6))
    page = monitor_page.of_tenant(young, monitors())
    assert not any(young.alarms(name) for name in young.charts)
    assert "Not judged yet" in page
    assert "and needs 13" in page


def test_the_page_tells_owner_action_and_blind_spot_of_every_figure_and_nobody(watched: Watched) -> None:
    page = monitor_page.of_tenant(watched, monitors())
    assert '<a href="index.html">All tenants</a>' in page
    for one in monitors().figures:
        assert f'id="{one.name}"' in page
    for text in ("No chart: the record holds nothing of it yet", "Cannot see: A rise from", "Integration engineer"):
        assert text in page
    assert not re.search(r"p-\d+-\d+-\d+|<script|https?://|\son\w+=", page)


def test_the_page_of_all_names_alarms_and_what_has_no_chart_yet(watched: Watched) -> None:
    page = monitor_page.of_all([watched], monitors(), failed={"other": "no record"})
    alarms, missing = re.search(r"<td class=alarm>(.*?)</td><td class=quiet>(.*?)</td>", page).groups()  # type: ignore[union-attr]
    for one in monitors().figures:
        number = len(monitor_page.recent(watched, one.name))
        assert (f"{one.heading}: {number}" in alarms.split("<br>")) == bool(number)
        assert (one.heading in missing.split("<br>")) == (not watched.charts.get(one.name))
    assert "not watched: no record" in page


def test_a_figure_without_a_chart_has_no_number_for_prometheus(watched: Watched) -> None:
    told = prometheus.exposition([watched], monitors(), at=datetime(2026, 4, 1, tzinfo=UTC))
    assert 'figure="unmapped"} ' in told
    assert "calibration" not in told


def test_no_table_and_no_chart_of_the_page_tells_of_few(watched: Watched) -> None:
    """One death among the women, and 4 who are of neither sex: neither is told, nor what would give them back."""
    observed = (("death", "", 504, 61, 50.0), ("death", "female", 250, 1, 20.0), ("death", "male", 250, 60, 30.0))
    chart = msgspec.structs.replace(
        watched.charts["lists"][0], figure="subgroups", label="death, female, more than predicted", latest="1 happened"
    )
    of = msgspec.structs.replace(
        watched, observed=observed, overrides=(("too low", 40), ("other", 3)), charts={"subgroups": (chart,)},
        standings={"death": {"counts": 504, "lost": 2, "not-mature": 30}},
    )  # fmt: skip
    page = monitor_page.of_tenant(of, monitors())
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    assert ["death", "all", "504", "61", "50.0", "1.22 (0.96 to 1.54)"] in rows
    cells = {row[1]: row[2:] for row in rows if row[:1] == ["death"] and len(row) == 6}
    assert cells["female"][1] == cells["male"][1] == cells["female"][3] == cells["male"][3] == "not told"
    assert "not told" in (cells["female"][0], cells["male"][0]), "504 less both are 4"
    assert ["other", "not told"] in rows
    assert ["death", "lost", "not told"] in rows
    assert "1 happened" not in page


def test_what_a_chart_was_at_last_is_words_where_it_was_few(watched: Watched) -> None:
    told = [chart.latest for of in watched.charts.values() for chart in of if " of " in chart.latest]
    assert told
    for one in told:
        if found := re.fullmatch(r"(\d+) of (\d+)", one):
            assert 10 <= int(found[1]) <= int(found[2]) - 10
