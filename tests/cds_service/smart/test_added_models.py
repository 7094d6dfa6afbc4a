"""The risk profile tells what a site's own model says of this patient, whose it is, and how it is told apart."""

from __future__ import annotations

import html
from pathlib import Path

import msgspec
import pytest

from cds_service.web.app import MODELS
from models_onnx.added import shelf
from tests.acceptance import own_models
from tests.cds_service.smart.conftest import Demo
from tests.cds_service.smart.test_profile import assessment, card_of, signed_in
from tests.models_onnx.added import graphs
from tests.models_onnx.added.test_shelf import accepting


@pytest.mark.parametrize("method", ["shapley", "occlusion", "none"])
def test_the_profile_tells_it_apart_by_its_method(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    told = {"method": method} | (
        {} if method == "none" else {"background": [graphs.one()], "background_words": "a man of 60"}
    )
    shelf.add(tmp_path / "site", graphs.folder(tmp_path / "new", graphs.crossed(), contributions=told), accepting())
    in_force = demo.app.extensions[MODELS]
    knowledge = in_force.knowledge
    try:
        in_force.knowledge = msgspec.structs.replace(knowledge, added=shelf.load(tmp_path / "site"))
        card = card_of(demo, "demo-comorbid", "63047")
        page = signed_in(demo, "demo-comorbid", assessment(card)).text
    finally:
        in_force.knowledge = knowledge
    part = page.partition("Models that this site added")[2].partition("</section>")[0]
    assert "Added by this site, not validated here" in part
    assert 'href="/models/added/bleeding"' in part
    assert ("Shapley values" in part, "Occlusion" in part) == (method == "shapley", method == "occlusion")
    assert ("Compared with a man of 60." in part) is (method != "none")
    assert ("Odds times" in part) is (method != "none")


def test_a_validated_model_that_heads_the_card_heads_the_profile(demo: Demo, tmp_path: Path) -> None:
    in_force = demo.app.extensions[MODELS]
    knowledge = in_force.knowledge
    own = own_models.always(tmp_path, 0.9, validated=True)
    try:
        in_force.knowledge = msgspec.structs.replace(knowledge, added=shelf.load(own))
        card = card_of(demo, "demo-healthy", "63047")
        page = html.unescape(signed_in(demo, "demo-healthy", assessment(card)).text)
    finally:
        in_force.knowledge = knowledge
    assert card["indicator"] == "warning"
    assert card["summary"] in page
    assert page.count("Death within 30 days (this site's model)") >= 2  # on the axis, and with what adds to it
    assert 'href="/models/added/bleeding"' in page
    assert "not validated here" not in page
    assert "the data have changed since" not in page


def test_without_models_of_its_own_the_profile_says_nothing_of_them(demo: Demo) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    assert "Models that this site added" not in signed_in(demo, "demo-comorbid", assessment(card)).text
