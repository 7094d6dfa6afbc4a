"""Cards and warnings at every threshold are those that answering again with it gives."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.records import database
from cds_service.records.answered_calls import AnsweredCall, answered_calls
from cds_service.tenants import speaking
from cds_service.tenants.speech import JudgedRisk, Speech
from cds_service.validation import threshold_counts
from cds_service.validation.threshold_counts import ALWAYS, SpeechLimits
from cds_service.web.app import RECORDS, create_app
from cds_service.web.settings import Settings
from fhir_mappings.terminology import concept_maps
from tests.acceptance.requests import a_condition, a_patient, a_request, a_result, an_asa_class, bundle
from tests.patience import PATIENT_ENOUGH

SHIPPED = SpeechLimits(speaking.CARD_FLOORS, speaking.WARNING_RARE, speaking.WARNING_COMMON)
share = st.floats(0.0005, 0.9)
risk = st.builds(
    JudgedRisk,
    outcome=st.sampled_from([*speaking.CARD_FLOORS, "frailty"]),
    figure=share,
    least=share,
    usual=st.none() | share,
    frequency=st.sampled_from(["rare", "common", "none"]),
)
speeches = st.lists(st.builds(Speech, st.lists(risk, max_size=4).map(tuple), st.booleans()), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(speeches, st.floats(0.01, 20), st.data())
def test_the_counts_at_any_threshold_are_those_of_the_rule(
    of: list[Speech], factor: float, data: st.DataObject
) -> None:
    floors = {name: factor * floor for name, floor in SHIPPED.floors.items()}
    moved = SpeechLimits(floors, SHIPPED.rare, SHIPPED.common)
    cards = threshold_counts.card_factors(of, SHIPPED)
    assert threshold_counts.at(cards, factor) == sum(moved.speaks(one) for one in of)
    warned = SpeechLimits(SHIPPED.floors, SHIPPED.rare * factor, SHIPPED.common * factor)
    found = threshold_counts.warning_factors(of, SHIPPED)
    assert threshold_counts.at(found, factor) == sum(warned.warns(one) for one in of)
    outcome, floor = data.draw(st.sampled_from(sorted(SHIPPED.floors))), data.draw(share)
    alone = SpeechLimits({**SHIPPED.floors, outcome: floor}, SHIPPED.rare, SHIPPED.common)
    by_one = threshold_counts.card_thresholds(of, SHIPPED, outcome)
    assert threshold_counts.at(by_one, floor) == sum(alone.speaks(one) for one in of)


@settings(max_examples=100, deadline=None)
@given(speeches)
def test_the_counts_turn_exactly_where_the_rule_does(of: list[Speech]) -> None:
    for one, factor in zip(of, threshold_counts.card_factors(of, SHIPPED), strict=True):
        for at in (factor, math.nextafter(factor, math.inf)) if 0 < factor < ALWAYS else ():
            floors = {name: at * floor for name, floor in SHIPPED.floors.items()}
            assert SpeechLimits(floors, SHIPPED.rare, SHIPPED.common).speaks(one) == (at == factor)


def test_where_every_floor_is_none_there_is_always_a_card() -> None:
    of = [Speech((), False)]
    nothing = SpeechLimits(dict.fromkeys(SHIPPED.floors, 0.0), 1.0, 1.0)
    one = SpeechLimits({**SHIPPED.floors, "pneumonia": 0.0}, 1.0, 1.0)
    assert threshold_counts.card_factors(of, nothing) == [ALWAYS]
    assert threshold_counts.card_factors(of, one) == [0.0]


def test_steps_of_few_operations_are_not_told() -> None:
    found = threshold_counts.curve("card", "x", [ALWAYS] * 3 + [k / 100 for k in range(1, 48)], in_force=0.1)
    counts = [step.operations for step in found.steps]
    assert found.always is None
    assert counts == sorted(counts, reverse=True)
    assert min(counts) >= 10
    assert all(a - b >= 10 for a, b in itertools.pairwise(counts))


def test_a_threshold_is_no_persons_own_risk_and_its_count_is_exact() -> None:
    own = [0.0123456789 + 0.000987654321 * k for k in range(60)]
    found = threshold_counts.curve("card", "x", own, in_force=0.05)
    assert len(found.steps) > 2
    assert not {step.threshold for step in found.steps} & set(own)
    for step in found.steps:
        assert step.threshold == float(f"{step.threshold:.3g}")
        assert step.operations == sum(one >= step.threshold for one in own)


def test_what_is_in_force_less_a_step_is_nobody_or_no_few() -> None:
    """15 always have a card, 22 with the floor in force, 26 just below it."""
    own = [ALWAYS] * 15 + [0.2] * 7 + [0.09] * 4 + [0.05] * 30 + [0.0] * 40
    found = threshold_counts.curve("card", "x", own, in_force=0.1, told=[22])
    assert found.always is None, "7 of 22 less 15"
    assert [(step.threshold, step.operations) for step in found.steps] == [(0.05, 56), (0.2, 22)]


few_risks = st.builds(
    JudgedRisk,
    outcome=st.sampled_from([*list(SHIPPED.floors)[:2], "frailty"]),
    figure=st.sampled_from([0.003, 0.02, 0.04, 0.08, 0.11, 0.3]),
    least=st.sampled_from([0.003, 0.02, 0.3]),
    usual=st.none(),
    frequency=st.sampled_from(["rare", "common", "none"]),
)
kinds = st.lists(
    st.tuples(st.builds(Speech, st.lists(few_risks, max_size=2).map(tuple), st.booleans()), st.integers(1, 25)),
    min_size=2, max_size=8,
)  # fmt: skip


def floors_at(moved: str, threshold: float) -> tuple[float, ...]:
    """The floors of a step of a curve, none being as one that nobody reaches: it holds all steps of no lower ones."""
    floors = {name: floor or ALWAYS for name, floor in SHIPPED.floors.items()}
    if moved == threshold_counts.EVERY_FLOOR:
        return tuple(threshold * floor for floor in floors.values())
    return tuple({**floors, moved: threshold}.values()) if moved in floors else tuple(floors.values())


@settings(max_examples=60, deadline=None)
@given(kinds)
def test_no_two_counts_of_operations_within_each_other_differ_by_few(of: list[tuple[Speech, int]]) -> None:
    """Every count that is told of cards and warnings, beside every other that holds the same operations and more."""
    everybody = [one for one, number in of for _ in range(number)]
    found = threshold_counts.counted([("w", one) for one in everybody], SHIPPED, weeks=1)
    cards = [(floors_at("", 0.0), n) for n in (found.cards,) if n is not None]
    warnings = [n for n in (found.warnings,) if n is not None]
    for curve in found.curves:
        points = [(step.threshold, step.operations) for step in curve.steps]
        points += [(ALWAYS, curve.always)] if curve.always is not None else []
        if curve.what == "card":
            cards += [(floors_at(curve.moved, threshold), count) for threshold, count in points]
            assert all(count in (one, None) for at, one in points if at == curve.in_force for count in (found.cards,))
        else:
            warnings += [count for threshold, count in points if threshold >= 1]
    pairs = [(a, b) for a, b in itertools.product(warnings, repeat=2)]
    pairs += [(a, b) for a in warnings for floors, b in cards]
    pairs += [(a, len(everybody)) for a in (*warnings, *(n for _, n in cards))]
    pairs += [
        (a, b)
        for (high, a), (low, b) in itertools.product(cards, repeat=2)
        if all(x >= y for x, y in zip(high, low, strict=True))
    ]
    assert [pair for pair in pairs if 0 < abs(pair[0] - pair[1]) < 10] == []


def people() -> list[dict[str, Any]]:
    """Requests whose cards hang on different things: risk, a warning, a finding that opens, nothing."""
    found = []
    for age in (25, 45, 60, 72, 88):
        for roman in ("I", "II", "III"):
            found.append(a_request(patient=a_patient(age), observations=bundle(an_asa_class(roman))))
        found.append(a_request(patient=a_patient(age), observations=bundle()))
    found.append(a_request(patient=a_patient(40), labs=bundle(a_result("718-7", 8.9, "g/dL"))))
    found.append(a_request(patient=a_patient(30), conditions=bundle(a_condition("I50.9"), a_condition("I20.0"))))
    return found


def answered(folder: Path, floors: dict[str, float], rare: float, common: float) -> list[AnsweredCall]:
    """These people asked for by a tenant with these limits, as its record has them."""
    folder.mkdir(parents=True)
    tenant = {"id": "here", "environment": "dev", "public_url": "http://127.0.0.1:8000", "mode": "silent"}
    tenant |= {"card_floors": floors, "warning": {"rare": rare, "common": common}, "dedupe_window_s": 0.0}
    tenant |= {"concept_maps": [str(concept_maps.DEMO)], "hooks": ["order-select"]}
    tenant |= PATIENT_ENOUGH
    (folder / "tenants").mkdir()
    (folder / "tenants" / "here.yaml").write_text(yaml.safe_dump(tenant), encoding="utf-8")
    url = f"sqlite:///{folder}/record"
    app = create_app(Settings(tenants=folder / "tenants", database_url=url, state_directory=folder))
    http = app.test_client()
    for request in people():
        assert http.post("/cds-services/surgical-risk", json=request).status_code == 200
    assert app.extensions[RECORDS].flush(10)
    engine = database.connect(url, durable=True, connections=2)
    now = datetime.now(UTC)
    calls = list(answered_calls(engine, "here", since=now - timedelta(days=1), until=now + timedelta(days=1)))
    engine.dispose()
    return calls


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Speech]:
    calls = answered(tmp_path_factory.mktemp("silent") / "f", dict(SHIPPED.floors), SHIPPED.rare, SHIPPED.common)
    found = [call.result.speech for call in calls if call.result is not None]
    assert len(found) == len(people())
    assert any(one.opened for one in found if one)
    return [one for one in found if one is not None]


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.6, 4.0])
def test_the_counts_are_those_of_answering_again(tmp_path: Path, recorded: list[Speech], factor: float) -> None:
    floors = {name: factor * floor for name, floor in SHIPPED.floors.items()}
    rare, common = SHIPPED.rare * factor, min(1.0, SHIPPED.common * factor)
    again = answered(tmp_path / "f", floors, rare, common)
    moved = SpeechLimits(floors, rare, common)
    cards = [call.indicator is not None for call in again]
    assert [moved.speaks(one) for one in recorded] == cards
    assert [moved.warns(one) for one in recorded] == [call.indicator == "warning" for call in again]
    with_its_limits = SpeechLimits(SHIPPED.floors, rare, common)
    assert threshold_counts.at(threshold_counts.card_factors(recorded, with_its_limits), factor) == sum(cards)
    warned = threshold_counts.warning_factors(recorded, SHIPPED)
    assert threshold_counts.at(warned, factor) == sum(call.indicator == "warning" for call in again)
    assert 0 < sum(cards) <= len(cards)


def test_what_a_row_keeps_is_as_long_as_it_has_to_be() -> None:
    one = Speech((JudgedRisk("30-day-death", 0.012, 0.01, None, "rare"),), False)
    assert len(msgspec.json.encode(one)) < 80
