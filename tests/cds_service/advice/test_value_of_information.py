"""An input is worth a test only if some plausible value of it would move the headline to another band (DEC-33)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cds_service.advice import value_of_information
from cds_service.advice.assessment import Assessment
from cds_service.advice.bands import BandLimits
from cds_service.advice.options import Option
from cds_service.advice.value_of_information import worth_asking
from tests import builders
from tests.builders import Resource
from tests.cds_service.advice import people


def asked(*resources: Resource, drafts: tuple[tuple[str, str], ...] = ()) -> dict[str, Option]:
    assessment = people.an_assessment(*resources)
    found = worth_asking(assessment, people.facts(*resources, drafts=drafts), codes=people.CODES)
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


def test_an_input_that_does_not_exist_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "inputs.yaml"
    path.write_text("- {input: shoe_size, consider: a}")
    with pytest.raises(ValueError, match="shoe_size"):
        value_of_information.load(path)


def with_limits(limits: BandLimits, *resources: Resource) -> Assessment:
    return msgspec.structs.replace(people.an_assessment(*resources), limits=limits)


def test_nothing_is_asked_for_where_no_band_would_change() -> None:
    """With bands so wide that every value stays inside, no missing input has a value of information."""
    record = people.facts()
    wide = with_limits(BandLimits(typical=0.0, above=1e6, well_above=1e7))
    assert wide.headline is not None
    told = msgspec.structs.replace(wide.headline, band="typical")
    wide = msgspec.structs.replace(wide, headline=told)
    assert worth_asking(wide, record, codes=people.CODES) == ()


def test_a_declined_input_is_not_asked_for_again() -> None:
    declined = builders.an_observation("97816-3", None, dataAbsentReason=builders.coded((ABSENT, "asked-declined")))
    assert "input-asa_class" not in asked(declined)


ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
