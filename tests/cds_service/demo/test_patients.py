"""Everyone is invented, valid FHIR, and never grows stale."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.demo import patients

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PEOPLE = patients.load(NOW)


def test_the_first_is_the_72_year_old_that_make_run_shows() -> None:
    assert PEOPLE[0].id == "demo-fusion"
    assert PEOPLE[0].order == ("http://www.ama-assn.org/go/cpt", "22633")
    assert PEOPLE[0].resources[0]["birthDate"] == "1954-08-15"


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_every_resource_is_valid_and_belongs_to_its_person(person: patients.DemoPatient) -> None:
    for resource in person.resources:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert resource.get("subject", {"reference": f"Patient/{person.id}"})["reference"] == f"Patient/{person.id}"
        assert "@-" not in str(resource)


def test_ids_are_unique_and_names_obviously_invented() -> None:
    ids = [(resource["resourceType"], resource["id"]) for person in PEOPLE for resource in person.resources]
    assert len(ids) == len(set(ids))
    assert all(person.name.endswith(" Demo") for person in PEOPLE)


def test_dates_follow_the_day() -> None:
    later = patients.load(datetime(2030, 2, 28, 9, 0, tzinfo=UTC))
    creatinine = next(r for r in later[0].resources if r["id"] == "demo-fusion-obs-1")
    assert creatinine["effectiveDateTime"] == "2030-02-16T00:00:00Z"


def test_a_person_is_the_same_all_day_so_that_the_card_about_it_is() -> None:
    assert patients.everything(NOW) == patients.everything(NOW.replace(hour=23, minute=59))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.id)
def test_the_chart_holds_the_planned_operation_as_an_open_order_to_come(person: patients.DemoPatient) -> None:
    held = [resource for resource in patients.everything(NOW) if resource["resourceType"] == "ServiceRequest"]
    (order,) = [one for one in held if one["id"] == f"{person.id}-operation"]
    get_fhir_model_class("ServiceRequest").model_validate(order)
    assert (order["status"], order["occurrenceDateTime"]) == ("active", "2026-12-14")
    assert order["subject"]["reference"] == f"Patient/{person.id}"
