"""Among real people: not too many cards, not too few, and on those who have complications (DEC-39)."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_onnx.training import held_out
from tests.acceptance import population
from tests.acceptance.population_orders import VARIANTS, People

BARE = "without ASA class"


@pytest.fixture(scope="module")
def people(shared: Path) -> People:
    return People(shared / "data" / "surgery_timing.csv")


@pytest.mark.shared
def test_DEC_39_a_fifth_of_real_people_held_back_has_the_right_cards(people: People, tmp_path: Path) -> None:
    train, held_back = next(held_out.splits(people.operations))
    told = population.spoken(people, held_back.tolist(), held_out.models(people.operations, train, tmp_path))
    cards, warnings = population.catches(people, told), population.catches(people, told, warned=True)
    for variant in VARIANTS:
        assert 0.15 <= cards[variant].burden <= 0.25
        assert 0.0 < warnings[variant].burden <= 0.10
        assert warnings[variant].times_average >= 1.5
        assert variant == BARE or cards[variant].caught >= 0.40
        assert warnings[BARE].burden <= warnings[variant].burden
        assert 0.15 <= cards[variant].spine <= 0.40
        assert not (told.marks(variant, warned=True) & ~told.marks(variant)).any()


@pytest.mark.shared
@pytest.mark.long
def test_the_document_tells_what_everybody_gets(shared: Path) -> None:
    assert population.document(shared / "data" / "surgery_timing.csv") == population.DOCUMENT.read_text("utf-8")
