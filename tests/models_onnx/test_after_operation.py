"""The Surgical Apgar Score: its table at every boundary, and that no answer before an operation knows of it."""

from __future__ import annotations

from itertools import product

import pytest

from models_onnx import registry
from models_onnx.after_operation import SURGICAL_APGAR, card_of, one_score, score_after
from models_onnx.model_card import ModelError
from models_onnx.registry import Registry

MODELS = registry.load()
# Both sides of every boundary of the published table (Gawande 2007), with decimals that are rounded half up.
LOSSES = ((0, 3), (100, 3), (100.4, 3), (100.5, 2), (101, 2), (600, 2), (601, 1), (1000, 1), (1001, 0), (5000, 0))
PRESSURES = ((20, 0), (39, 0), (39.4, 0), (39.5, 1), (40, 1), (54, 1), (55, 2), (69, 2), (70, 3), (74, 3), (75, 3))
RATES = (
    (0, 0), (30, 4), (55, 4), (55.4, 4), (55.5, 3), (56, 3), (65, 3), (66, 2), (75, 2), (76, 1), (85, 1), (86, 0),
)  # fmt: skip
BEST = {"blood_loss": 100.0, "lowest_mean_pressure": 70.0, "lowest_heart_rate": 55.0, "age": 60}
WORST = {"blood_loss": 1001.0, "lowest_mean_pressure": 39.0, "lowest_heart_rate": 86.0, "age": 60}


def _points(**values: float) -> float:
    found = score_after(MODELS, BEST | values)
    assert found.status == "score-only"
    assert found.points is not None
    return found.points


CASES = [
    *((name, value, points, other) for name, table, best in (
        ("blood_loss", LOSSES, 3), ("lowest_mean_pressure", PRESSURES, 3), ("lowest_heart_rate", RATES, 4),
    ) for (value, points), other in product(table, (BEST, WORST)) if best),
]  # fmt: skip


def test_there_are_sixty_boundary_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(("name", "value", "points", "other"), CASES)
def test_a_component_has_the_published_points(name: str, value: float, points: int, other: dict[str, float]) -> None:
    most = {"blood_loss": 3, "lowest_mean_pressure": 3, "lowest_heart_rate": 4}
    rest = 0 if other is WORST else sum(most.values()) - most[name]
    assert score_after(MODELS, other | {name: float(value)}).points == points + rest


def test_the_whole_table_adds_up() -> None:
    for (loss, a), (pressure, b), (rate, c) in product(LOSSES, PRESSURES, RATES):
        found = _points(blood_loss=float(loss), lowest_mean_pressure=float(pressure), lowest_heart_rate=float(rate))
        assert found == a + b + c


def test_it_is_unlike_the_wrong_public_table() -> None:
    """Mean pressure from 75 on and a heart rate worth at most 3 points: a package that is about."""
    assert _points(lowest_mean_pressure=72.0) == _points(lowest_mean_pressure=75.0) == 10
    assert _points(lowest_heart_rate=50.0) - _points(lowest_heart_rate=86.0) == 4


@pytest.mark.parametrize("name", ["blood_loss", "lowest_mean_pressure", "lowest_heart_rate", "age"])
def test_without_a_component_there_is_no_score(name: str) -> None:
    found = score_after(MODELS, {**BEST, name: None})
    assert (found.points, found.needs) == (None, (name,))
    assert not found.published_rates


def test_rates_are_told_with_their_events_and_of_5_to_8_points_none() -> None:
    low, middle, high = (score_after(MODELS, values) for values in (WORST, {**BEST, "lowest_heart_rate": 86.0}, BEST))
    assert [rate.source for rate in low.published_rates] == [
        "Gawande 2007, major complication or death, 17 of 29",
        "Regenbogen 2009, major complication, 72 of 128",
        "Regenbogen 2009, death, 25 of 128",
    ]
    assert [round(100 * rate.probability, 1) for rate in low.published_rates] == [58.6, 56.2, 19.5]
    assert [round(100 * rate.probability, 1) for rate in high.published_rates] == [3.6, 5.0, 0.1]
    assert (middle.points, middle.published_rates) == (6, ())


def test_no_answer_before_an_operation_knows_of_it() -> None:
    assert SURGICAL_APGAR not in {card.name for card in MODELS.cards}
    assert all(SURGICAL_APGAR not in names for names in MODELS.preferred.values())
    assert card_of(MODELS).outcome not in MODELS.preferred
    assert SURGICAL_APGAR not in {score.model for score in MODELS.score(BEST)}


def test_a_score_that_is_not_there_says_so() -> None:
    with pytest.raises(ModelError, match="no such score"):
        score_after(_without_prepared(), BEST)


def _without_prepared() -> Registry:
    found = registry.load()
    found.prepared = {}
    return found


def test_readings_that_agree_have_one_score_and_others_none() -> None:
    a, b, c = (score_after(MODELS, BEST | {"blood_loss": value}) for value in (200.0, 500.0, 700.0))
    assert one_score([a, b]) == a
    assert one_score([a, c]) is None
    assert one_score([]) is None
