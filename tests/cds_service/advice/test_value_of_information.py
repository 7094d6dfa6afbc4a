"""An input is worth a test only if some plausible value of it would move the headline to another band (DEC-33)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.advice import value_of_information
from cds_service.advice.assessment import BandLimits, Estimate, headline_of
from cds_service.advice.options import Option
from cds_service.advice.value_of_information import OBTAINABLE, worth_asking
from fhir_mappings.features import FEATURES
from fhir_mappings.requested import Requested
from tests.builders import Resource
from tests.cds_service.advice import people


def asked(*resources: Resource, drafts: tuple[tuple[str, str], ...] = ()) -> dict[str, Option]:
    assessment = people.an_assessment(*resources)
    facts = people.facts(*resources, drafts=drafts)

    def rescore(values: dict[str, object]) -> Estimate | None:
        models = people.models()
        scores = models.score(values)  # type: ignore[arg-type]
        return headline_of(scores, group=assessment.procedure.group, models=models, limits=BandLimits())

    found = worth_asking(assessment, facts, rescore=rescore, codes=people.CODES)  # type: ignore[arg-type]
    return {option.id: option for option in found}


def test_a_missing_asa_class_can_move_the_band() -> None:
    option = asked()["input-asa_class"]
    assert option.could_change_estimate
    assert option.reason == "ASA class is missing and could change the estimate"


def test_what_is_known_is_not_asked_for() -> None:
    assert "input-asa_class" not in asked(people.asa(3))


def test_an_input_that_no_told_model_reads_is_not_asked_for() -> None:
    read = set(people.an_assessment(people.asa(3)).inputs)
    assert all(name.removeprefix("input-") in read for name in asked(people.asa(3)))


def test_an_order_of_the_same_session_is_not_repeated() -> None:
    known = asked(people.asa(3))
    drafts = (("http://loinc.org", "51990-0"),)
    assert not [one for one in asked(people.asa(3), drafts=drafts) if known.get(one) and known[one].order]


@pytest.mark.parametrize("one", OBTAINABLE, ids=lambda one: one.input)
def test_plausible_values_are_values_of_the_feature(one: value_of_information.Obtainable) -> None:
    definition = FEATURES[one.input]
    if definition.kind == "category":
        assert set(one.plausible) <= set(definition.categories)
    else:
        low, high = definition.low or 0.0, definition.high or 1e9
        assert all(isinstance(value, int | float) and low <= value <= high for value in one.plausible)


def test_an_input_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "inputs.yaml"
    path.write_text("- {input: shoe_size, consider: a, plausible: [1]}")
    with pytest.raises(ValueError, match="shoe_size"):
        value_of_information.load(path)


def test_nothing_is_asked_for_where_no_band_would_change() -> None:
    """A constant headline has no value of information, whatever is missing."""
    assessment = people.an_assessment(people.asa(3))
    facts = people.facts(people.asa(3))
    found = worth_asking(assessment, facts, rescore=lambda _: assessment.headline, codes=people.CODES)
    assert found == ()
    assert facts.requested == Requested()
