"""Nothing that became known after an order changes its row: added, changed, taken away, or ended later."""

from __future__ import annotations

import random
from datetime import timedelta

import msgspec
import pytest
from msgspec import Raw

from cds_service.replay import chart
from tests.cds_service.replay import charts
from tests.fhir_mappings.cohorts import Person, everybody, read

CASES, MANY = 400, 10_000
ABSENT_DAY = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


def people() -> tuple[Person, ...]:
    return everybody("messy") + everybody("demo")


def base_of(someone: Person) -> list[Raw]:
    """The person's chart, and an order of the instant at which the case is asked."""
    return [*someone.resources, charts.raw(charts.order(someone.id, someone.as_of))]


def differing(seeds: range) -> list[int]:
    """The seeds for which what came later changed the row."""
    folk = people()
    plain = {one: charts.row_of(one.id, base_of(one)) for one in folk}
    found = []
    for seed in seeds:
        dice = random.Random(seed)
        someone = dice.choice(folk)
        first = [charts.raw(one) for one in charts.later(dice, someone.id, someone.as_of)]
        second = [charts.raw(one) for one in charts.later(dice, someone.id, someone.as_of)]
        rows = {charts.row_of(someone.id, [*base_of(someone), *more]) for more in (first, second)}
        if rows != {plain[someone]}:
            found.append(seed)
    return found


def test_nothing_later_changes_a_row() -> None:
    assert not differing(range(CASES))


@pytest.mark.long
def test_nothing_later_changes_a_row_many_times() -> None:
    assert not differing(range(MANY))


def test_the_property_notices_what_is_read_of_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "is_known", lambda when, now: True)
    assert len(differing(range(60))) > 20


@pytest.mark.parametrize("kind", ["messy", "demo"])
def test_what_ended_later_had_not_ended(kind: str) -> None:
    """Death, the end of a diagnosis and of a prescription, as a later chart tells them."""
    for number, someone in enumerate(everybody(kind)):
        dice = random.Random(number)
        ended = [charts.raw(charts.ended_later(dice, read(raw), someone.as_of)) for raw in base_of(someone)]
        assert charts.row_of(someone.id, ended) == charts.row_of(someone.id, base_of(someone)), someone.id


def test_the_second_at_which_it_becomes_known_counts() -> None:
    """At the instant itself a result was known; a second later it was not."""
    someone = everybody("demo")[0]
    known, unknown = (
        {
            "resourceType": "Observation", "id": "edge", "status": "final",
            "code": {"coding": [{"system": charts.LOINC, "code": "718-7"}]},
            "subject": {"reference": f"Patient/{someone.id}"},
            "effectiveDateTime": (someone.as_of + timedelta(seconds=late)).isoformat(),
            "valueQuantity": {"value": 4.0, "system": "http://unitsofmeasure.org", "code": "g/dL"},
        }
        for late in (0, 1)
    )  # fmt: skip
    plain = charts.row_of(someone.id, base_of(someone))
    assert charts.row_of(someone.id, [*base_of(someone), charts.raw(unknown)]) == plain
    assert charts.row_of(someone.id, [*base_of(someone), charts.raw(known)]) != plain


@pytest.mark.parametrize("told", [
    {"deceasedBoolean": True}, {"deceasedDateTime": "2031"}, {"_deceasedDateTime": {"extension": [ABSENT_DAY]}},
    {"deceasedBoolean": True, "_deceasedBoolean": {"id": "x"}},
])  # fmt: skip
def test_a_death_that_is_told_without_its_day_was_after_the_order(told: dict[str, object]) -> None:
    """Who is ordered an operation lives; the row counts what nobody can place in time."""
    someone = everybody("demo")[0]
    read_all = [read(raw) for raw in base_of(someone)]
    dead = [charts.raw(one | told if one["resourceType"] == "Patient" else one) for one in read_all]
    assert estimates(charts.row_of(someone.id, dead)) == estimates(charts.row_of(someone.id, base_of(someone)))


def estimates(row: bytes) -> object:
    """What the models told."""
    return {name: value for name, value in msgspec.json.decode(row).items() if name != "undecided"}
