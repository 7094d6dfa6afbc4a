"""The source attributes and the CHAI card, for every model."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from models_onnx.documents.chai import model_card_xml
from models_onnx.documents.source_attributes import DEMOGRAPHIC_ITEMS, attributes
from models_onnx.model_card import ModelCard, read_card, read_evaluation
from models_onnx.registry import PACKAGE
from tests.models_onnx.chai_schema import NAMESPACE, problems

PATHS = sorted(PACKAGE.glob("*/*/*/card.yaml"))
EACH = pytest.mark.parametrize("path", PATHS, ids=[path.parent.parent.name for path in PATHS])


@EACH
def test_every_model_tells_31_attributes_in_nine_groups_and_none_is_empty(path) -> None:
    told = attributes(read_card(path), read_evaluation(path.parent))
    assert len(told) == 31
    assert len({key.split(".")[0] for key in told}) == 9
    assert all(text.strip() for text in told.values())


@EACH
def test_the_demographic_items_are_told_as_the_inputs_use_them(path) -> None:
    card = read_card(path)
    told = dict(entry.split(": ") for entry in attributes(card)["development.demographic_inputs"].split("; "))
    names = {entry.name for entry in card.inputs}
    assert told == {item: "used" if name in names else "not used" for item, name in DEMOGRAPHIC_ITEMS.items()}


def test_a_fitted_model_tells_the_figures_of_its_evaluation() -> None:
    path = next(path for path in PATHS if path.parent.parent.name == "elective-complication")
    evaluation = read_evaluation(path.parent)
    assert evaluation is not None
    told = attributes(read_card(path), evaluation)["performance.internal_validity"]
    for entry in evaluation["performance"]:
        assert f"AUROC {entry['auroc']['value']:.3f}" in told


@EACH
def test_the_chai_card_has_every_element_of_the_schema_in_its_place(path) -> None:
    card: ModelCard = read_card(path)
    root = ET.fromstring(model_card_xml(card, read_evaluation(path.parent)))
    assert problems(root) == []
    assert root.findtext(f"{{{NAMESPACE}}}ReleaseInfo/{{{NAMESPACE}}}ReleaseVersion") == card.version
    assert all(element.text and element.text.strip() for element in root.iter() if not len(element))


@EACH
def test_every_value_of_the_chai_card_is_json_and_a_fitted_model_tells_its_figures(path) -> None:
    root = ET.fromstring(model_card_xml(read_card(path), read_evaluation(path.parent)))
    values = [json.loads(element.text or "") for element in root.iter(f"{{{NAMESPACE}}}ValueJson")]
    assert all(value.keys() == {"kind", "value", "unit"} for value in values)
    assert (len(values) > 20) == (read_evaluation(path.parent) is not None)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<ModelName>", b"<Modelname>", "ModelName"),
        (b"<PatientConsentOrDisclosure>", b"<Consent>", "PatientConsentOrDisclosure"),
        (b"v0.2/schema", b"v0.1/schema", "namespace"),
    ],
)
def test_a_card_that_leaves_the_schema_is_found_out(old: bytes, new: bytes, says: str) -> None:
    xml = (
        model_card_xml(read_card(PATHS[0]), None)
        .replace(old, new)
        .replace(old.replace(b"<", b"</"), new.replace(b"<", b"</"))
    )
    assert any(says in problem for problem in problems(ET.fromstring(xml)))
