"""The risk profile tells what a site's own model says of this patient, whose it is, and how it is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.web.app import MODELS
from models_onnx.added import shelf
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
        in_force.knowledge = type(knowledge)(
            knowledge.models, knowledge.fhir, knowledge.recalibrations, shelf.load(tmp_path / "site")
        )
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


def test_without_models_of_its_own_the_profile_says_nothing_of_them(demo: Demo) -> None:
    card = card_of(demo, "demo-comorbid", "63047")
    assert "Models that this site added" not in signed_in(demo, "demo-comorbid", assessment(card)).text
