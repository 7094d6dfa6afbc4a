"""What is said of a patient where the hospital recalibrated a model: bands, peers, ranges, and what is worth asking."""

from __future__ import annotations

import datetime
import math

import pytest

from cds_service.advice import model_inputs
from cds_service.advice.assessment import Assessment, Estimate, Occasion, assess
from cds_service.advice.bands import BandLimits
from cds_service.advice.site_models import SiteOwn
from cds_service.advice.value_of_information import worth_asking
from fhir_mappings.features import features
from models_onnx.recalibration import Recalibration
from tests import builders
from tests.builders import Resource
from tests.cds_service.advice import people

DAY = datetime.date(2026, 6, 30)


def of_hospital(*by: Recalibration, resources: tuple[Resource, ...] = ()) -> Assessment:
    """A man of 71 before lumbar fusion, in a hospital that recalibrated these models."""
    record, models = builders.a_record(*resources), people.models()
    orders = builders.as_json([builders.an_order()])
    planned = builders.procedures.planned(orders, patient_id=builders.PATIENT_ID, maps=builders.DEMO_MAPS)
    assert isinstance(planned, tuple)
    known = features.derive(record, planned[0])
    return assess(
        known,
        models.score(model_inputs.values(known), model_inputs.limits(known)),
        procedure=planned[0],
        models=models,
        limits=BandLimits(),
        occasion=Occasion(people.ASSESSMENT_ID, builders.AS_OF, builders.ZONE),
        own=SiteOwn({one.sha256: one for one in by}),
    )


def a_recalibration(model: str, *, intercept: float, slope: float, shift: float | None) -> Recalibration:
    card = people.models().card(model)
    return Recalibration(
        id="a",
        number=1,
        model=model,
        version=card.version,
        sha256=card.sha256,
        outcome=card.outcome,
        intercept=intercept,
        slope=slope,
        covariance=(0.0, 0.0, 0.0),
        peer_shift=shift,
        n=4_000,
        events=200,
        first=DAY,
        last=DAY,
        approved_on=DAY,
    )


def told(assessment: Assessment, outcome: str) -> Estimate:
    return next(one for one in assessment.estimates if one.outcome.name == outcome)


@pytest.mark.parametrize("asa", [1, 2, 3, 4])
def test_a_hospital_with_twice_the_odds_of_everybody_leaves_the_bands_as_they_were(asa: int) -> None:
    twice = math.log(2)
    moved = a_recalibration("sort-2014", intercept=twice, slope=1.0, shift=twice)
    before = told(of_hospital(resources=(people.asa(asa),)), "30-day-death")
    after = told(of_hospital(moved, resources=(people.asa(asa),)), "30-day-death")
    assert after.score.probability == pytest.approx(2 * (before.score.probability or 0), rel=0.05)
    assert (after.peer is not None, after.band) == (True, before.band)


def test_without_a_figure_for_the_peers_here_there_is_no_band() -> None:
    unknown = a_recalibration("sort-2014", intercept=0.5, slope=1.0, shift=None)
    death = told(of_hospital(unknown, resources=(people.asa(3),)), "30-day-death")
    assert (death.peer, death.band) == (None, None)


def test_the_range_over_what_is_missing_is_on_the_recalibrated_scale() -> None:
    flat = a_recalibration("elective-death", intercept=-2.0, slope=0.5, shift=0.0)
    before, after = told(of_hospital(), "30-day-death"), told(of_hospital(flat), "30-day-death")
    assert before.unknown is not None
    assert after.unknown is not None
    assert after.score.missing_range == after.unknown.range
    assert after.unknown.unknown[0].spread == pytest.approx(0.5 * before.unknown.unknown[0].spread)
    assert after.unknown.range.low < (after.score.probability or 0) < after.unknown.range.high


def test_an_input_is_worth_asking_for_only_if_it_moves_the_recalibrated_band() -> None:
    hardly = [
        a_recalibration(name, intercept=-4.4, slope=0.02, shift=0.0) for name in ("elective-death", "sort-2014")
    ] + [a_recalibration("elective-complication", intercept=-1.5, slope=0.02, shift=0.0)]
    asked = {one.id for one in worth_asking(of_hospital(), people.facts(), codes=people.CODES)}
    left = {one.id for one in worth_asking(of_hospital(*hardly), people.facts(), codes=people.CODES)}
    assert "input-asa_class" in asked
    assert "input-asa_class" not in left


def test_what_is_worth_asking_comes_largest_first() -> None:
    weights = [one.weight for one in worth_asking(of_hospital(), people.facts(), codes=people.CODES)]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) > 1


def test_an_outcome_that_lacks_an_input_tells_its_range_recalibrated() -> None:
    moved = a_recalibration("gupta-respiratory-failure", intercept=1.0, slope=1.0, shift=None)
    before = told(of_hospital(resources=(people.asa(3),)), "respiratory-failure")
    after = told(of_hospital(moved, resources=(people.asa(3),)), "respiratory-failure")
    assert (before.score.status, after.score.status) == ("not-computable", "not-computable")
    assert before.unknown is not None
    assert after.unknown is not None
    assert after.unknown.range.high > before.unknown.range.high
    assert after.score.probability is None
