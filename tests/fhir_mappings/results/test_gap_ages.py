"""A result that may be of any input leaves open the windows that it reaches, and no other."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_mappings.features.existing_tests import read_existing_tests
from fhir_mappings.patient.questionnaire_answers import ASA_DAYS
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.results.tested_rules import TESTED
from tests.builders import AS_OF, MEASUREMENTS, a_record, an_observation, date_ago, days_ago, derived
from tests.fhir_mappings.results.test_within_results import (
    LOCAL,
    MODIFIER,
    NEVER,
    UNCLEAR,
    WAYS,
    panel,
    reasons,
    report,
)


def reached(days: float) -> dict[str, str]:
    """Why each measurement has no value where one result of so many days ago may be of any."""
    names = [name for name in MEASUREMENTS if name not in ("egfr", "bmi", "platelets")]
    return {name: UNCLEAR if days <= RULES[name].lookback_days else NEVER for name in names}


AGES = (5, 60, 120, 300, 500, 1500, 3650)


@pytest.mark.parametrize("days", AGES)
@pytest.mark.parametrize("way", WAYS)
def test_a_result_under_a_local_code_leaves_open_the_windows_that_it_reaches(way: str, days: int) -> None:
    found = derived(WAYS[way](an_observation(LOCAL, 4.4, "mg/dL", id="krea", effectiveDateTime=days_ago(days))))
    assert reasons(found) == reached(0 if way == "with a broken time" else days)
    has_answer = way != "with a broken time" and days > ASA_DAYS
    assert found["asa_class"].reason == (NEVER if has_answer else UNCLEAR)


@pytest.mark.parametrize("days", AGES)
@pytest.mark.parametrize("written", [date_ago, days_ago, lambda days: date_ago(days)[:4], lambda days: ""])
def test_a_member_that_did_not_come_leaves_open_the_windows_that_its_panel_reaches(written: Any, days: int) -> None:
    when = written(days)
    latest = min((AS_OF.date() - date(int(when), 12, 31)).days, days) if len(when) == 4 else days if when else 0
    for turned in ({}, {"modifierExtension": MODIFIER}):
        holder = panel(hasMember=[{"reference": "Observation/gone"}], effectiveDateTime=when or None, **turned)
        assert reasons(derived(holder)) == reached(latest)


@pytest.mark.parametrize("days", AGES)
@pytest.mark.parametrize("holder", [panel, report])
def test_what_is_held_without_a_time_leaves_open_the_windows_that_its_holder_reaches(holder: Any, days: int) -> None:
    held = {k: v for k, v in an_observation(LOCAL, 4.4).items() if k not in ("subject", "effectiveDateTime")}
    assert reasons(derived(holder(contained=[held], effectiveDateTime=days_ago(days)))) == reached(days)
    assert reasons(derived(holder(contained=[held], when={}, effectiveDateTime="12.3.2016"))) == reached(0)


def test_of_a_code_and_of_a_member_the_last_time_counts_and_an_unknown_one_is_any() -> None:
    old, new = days_ago(3650), days_ago(5)
    for times, days in (((old, new), 5), ((old, None), 0), ((old, "12.3.2016"), 0), ((old, days_ago(800)), 800)):
        results = [an_observation(LOCAL, 4.4, id=f"o{n}", effectiveDateTime=when) for n, when in enumerate(times)]
        member = [{"reference": "Observation/gone"}]
        panels = [panel(hasMember=member, effectiveDateTime=when) for when in times]
        for sent in (results, results[::-1], panels, panels[::-1]):
            assert reasons(derived(*sent)) == reached(days), times


def test_an_old_result_of_which_nothing_is_known_doubts_no_value_and_no_test_that_was_not_done() -> None:
    known = an_observation(id="known")
    old, new = (an_observation(LOCAL, 4.4, id="krea", effectiveDateTime=days_ago(days)) for days in (3650, 5))
    of_any_day = derived(known)["genetic_finding"]  # a genome has no window
    assert derived(known, old) | {"genetic_finding": of_any_day} == derived(known) | {"genetic_finding": of_any_day}
    assert derived(known, new)["creatinine"].flags == ("partial",)
    assert read_existing_tests(a_record(old)).not_done == read_existing_tests(a_record()).not_done
    half_year = a_record(an_observation(LOCAL, 4.4, id="krea", effectiveDateTime=days_ago(200)))
    left = {name for name, one in TESTED.items() if one.days < 200}
    assert read_existing_tests(half_year).not_done == left & read_existing_tests(a_record()).not_done
