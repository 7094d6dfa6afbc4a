"""What is written of a closed case: valid Observations of what could be told, and none of what could not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from fhir_mappings.during.apgar_inputs import ApgarComponent
from fhir_mappings.during.course import CaseTimes
from fhir_mappings.during.exposures import exposures
from fhir_mappings.writing.case_resources import CaseTold, case_observations
from tests.fhir_mappings.during.courses import course, every, trace

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
CASE = CaseTimes(0.0, 1200.0, "Procedure/1", "", True)
LOW = course(trace("mean-pressure", every(60, [60] * 20), "invasive"), minutes=20)
COMPONENTS = (
    ApgarComponent("blood_loss", 250.0),
    ApgarComponent("lowest_mean_pressure", 60.0, seen=1.0),
    ApgarComponent("lowest_heart_rate", 0.0, event="asystole"),
)


def told(**members: Any) -> CaseTold:
    usual = {"patient_id": "p1", "case": CASE, "recorded": NOW, "exposures": exposures(LOW, {}), "version": "0.2.0"}
    return CaseTold(**(usual | members))


def test_an_exposure_tells_its_numbers_with_units_and_the_evidence() -> None:
    [found] = case_observations(told())
    parts = {one["code"]["coding"][0]["code"]: one["valueQuantity"] for one in found["component"]}
    assert (parts["minutes"]["value"], parts["minutes"]["code"]) == (20, "min")
    assert (parts["area"]["value"], parts["area"]["code"]) == (100, "mm[Hg].min")
    assert (parts["limit"]["value"], parts["minutes-unseen"]["value"]) == (65, 0)
    assert found["code"]["coding"][0]["code"] == "map-below-65"
    assert (found["status"], found["effectivePeriod"]["end"][:16]) == ("preliminary", "1970-01-01T00:20")
    assert "does not estimate a risk" in found["note"][0]["text"]
    assert {one["resourceType"] for one in found["contained"]} == {"Device", "Provenance"}


def test_what_was_not_recorded_is_not_written() -> None:
    assert [one["code"]["coding"][0]["code"] for one in case_observations(told())] == ["map-below-65"]
    assert case_observations(told(exposures=exposures(course(), {}))) == []


def test_an_absent_number_is_written_as_unknown_and_never_as_0() -> None:
    component = ApgarComponent("blood_loss", None, "unreadable")
    one = msgspec.structs.replace(exposures(LOW, {})[0], average=None)
    exposed, scored = case_observations(told(exposures=(one,), points=5, components=(component, *COMPONENTS[1:])))
    parts = {part["code"]["coding"][0]["code"]: part for part in (*exposed["component"], *scored["component"])}
    for name in ("time-weighted-average", "blood-loss"):
        assert "valueQuantity" not in parts[name]
        assert parts[name]["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_the_area_of_a_temperature_has_a_valid_unit() -> None:
    cold = course(trace("temperature", every(60, [35] * 20)), minutes=20)
    [found] = case_observations(told(exposures=exposures(cold, {})))
    parts = {one["code"]["coding"][0]["code"]: one["valueQuantity"] for one in found["component"]}
    assert parts["area"]["code"] == "K.min"


def test_a_score_is_written_with_its_components_and_an_event_is_no_rate_of_0() -> None:
    found = case_observations(told(exposures=(), points=5, components=COMPONENTS))[0]
    assert found["valueInteger"] == 5
    values = {one["code"]["coding"][0]["code"]: one for one in found["component"]}
    assert values["blood-loss"]["valueQuantity"]["value"] == 250
    assert values["lowest-heart-rate"]["valueString"] == "recorded asystole"
    assert "valueQuantity" not in values["lowest-heart-rate"]


def test_a_loss_that_can_be_read_in_two_ways_is_a_range() -> None:
    loss = ApgarComponent("blood_loss", None, "read-in-two-ways", possible=(200.0, 500.0))
    found = case_observations(told(exposures=(), points=5, components=(loss, *COMPONENTS[1:])))[0]
    assert found["component"][0]["valueRange"]["high"]["value"] == 500


@pytest.mark.parametrize("case", [CaseTimes(0.0, None), CaseTimes(0.0, 1200.0, reason="status-not-over")])
def test_nothing_is_written_of_a_case_that_has_not_ended(case: CaseTimes) -> None:
    assert case_observations(told(case=case, points=5, components=COMPONENTS)) == []


def test_without_a_score_none_is_written() -> None:
    assert case_observations(told(exposures=(), points=None, components=COMPONENTS)) == []


def test_what_may_be_missing_stands_in_every_observation() -> None:
    found = case_observations(told(points=5, components=COMPONENTS, missing=("Values may be missing since 08:00.",)))
    assert len(found) == 2
    for one in found:
        assert one["note"][-1]["text"] == "Values may be missing since 08:00."
