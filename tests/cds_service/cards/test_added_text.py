"""What a site's own models say finds room beside all that a card has to tell, or is counted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cds_service.advice.assessment import Assessment
from cds_service.cards import detail
from models_onnx import added_card
from models_onnx.added_graph import AddedGraph
from models_onnx.added_model import AddedModel
from tests.cds_service.advice import people
from tests.models_onnx.added import graphs

END = "informs only. Data as of"


@pytest.fixture
def told(tmp_path: Path) -> Assessment:
    """Somebody with three models of the site's own: a figure, a range, and one that was not made for him."""
    assessment = people.an_assessment(people.asa(3), people.result("718-7", 9.0, "g/dL"))
    models = []
    for number in range(3):
        folder = graphs.folder(tmp_path / f"m{number}", graphs.logistic(), name=f"own-{number}")
        card = added_card.read_card(folder)
        models.append(AddedModel(card, AddedGraph((folder / "model.onnx").read_bytes(), card), ""))
    person = graphs.one(age=72.0, asa_class=3.0, haemoglobin=9.0)
    answers = (
        models[0].answer(person),
        models[1].answer(person | {"haemoglobin": None}),
        models[2].answer(person | {"age": 17.0}),
    )
    return msgspec.structs.replace(assessment, added=answers)


def own(text: str) -> list[str]:
    return [one for one in text.split("\n\n") if one.startswith("**Added by this site")]


def test_each_has_a_line_and_the_limits_stay_the_last(told: Assessment) -> None:
    text = detail.write(told, limit=2_000)
    assert len(own(text)) == 3
    assert "(higher with" in own(text)[0]
    assert own(text)[1].endswith("in 100, depending on haemoglobin.")
    assert own(text)[2].endswith("not computed: age is outside what it was made for.")
    assert END in text.split("\n\n")[-1]


@pytest.mark.parametrize("limit", range(620, 1300, 20))
def test_whatever_the_room_the_limits_are_told_and_no_line_is_cut(told: Assessment, limit: int) -> None:
    text = detail.write(told, limit=limit)
    assert len(text) <= limit
    assert END in text.split("\n\n")[-1]
    assert all(one.endswith(".") for one in own(text))
    assert len(own(text)) == 3 or own(text) == ["**Added by this site:** 3 figures, no room for them here."]


def test_their_words_take_none_from_the_rest(told: Assessment) -> None:
    without = detail.write(msgspec.structs.replace(told, added=()), limit=3_000)
    with_them = detail.write(told, limit=3_000)
    assert [one for one in with_them.split("\n\n") if one not in own(with_them)] == without.split("\n\n")
