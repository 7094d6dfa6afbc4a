"""The rest-hook of R4 as HAPI has it, and searches time and again: the same store, and nothing lost in silence."""

from datetime import timedelta

import pytest

from tests.cds_service.during.hospitals import a_value, an_operation
from tests.cds_service.during.test_case_pages import words_of
from tests.cds_service.during_subscriptions.backport_server import BackportServer
from tests.cds_service.during_subscriptions.sourced_hospital import TENANT, told, values

CRITERIA = ["Observation?category=vital-signs", "Procedure?status=in-progress,completed"]
SEARCHED = "search:"


@pytest.fixture
def hooked(make):
    return make(BackportServer(has_events=False), subscriptions=[], rest_hook=True, searches=CRITERIA)


def put(hospital, resource, **options):
    path = f"hook/{resource['resourceType']}/{resource['id']}"
    return hospital.send(resource, path=path, method="PUT", **options)


def words(hospital):
    class Answer:
        text = hospital.page()

    return words_of(Answer)


def test_a_resource_that_is_put_is_kept_once(hooked):
    hooked.later(1)
    for one in (an_operation(), *values(3), *values(3)):
        answer = put(hooked, one)
        assert (answer.status_code, answer.data) == (200, b"")  # HAPI sends once more what it cannot read as FHIR
    assert len(hooked.kept()) == 3
    assert "missing" not in words(hooked)


def test_an_empty_post_is_answered_by_a_search(hooked):
    told(hooked, an_operation(), *values(3))
    hooked.later(1)
    told(hooked, *values(3, start=3))
    assert hooked.send(None, path="hook").status_code == 200
    hooked.later(1)
    assert len(hooked.kept()) == 6


def test_what_was_not_delivered_is_found_within_a_minute(hooked):
    told(hooked, an_operation(), *values(3))
    hooked.later(1)
    told(hooked, *values(5, start=3))
    hooked.later(30)
    assert len(hooked.kept()) == 3
    hooked.later(31)
    assert len(hooked.kept()) == 8


def test_a_server_that_cannot_be_searched_is_told(hooked):
    put(hooked, an_operation())
    hooked.server.is_down = True
    hooked.settled()
    assert "Values may be missing since" in words(hooked)
    hooked.server.is_down = False
    hooked.settled()
    assert "missing" not in words(hooked)


def test_what_is_deleted_is_told(hooked):
    told(hooked, an_operation())
    hooked.later(1)
    assert hooked.send(None, path="hook/Observation/o1", method="DELETE").status_code == 200
    assert "were withdrawn without saying of whom" in words(hooked)


@pytest.mark.parametrize(
    ("path", "method"), [("hook", "POST"), ("hook/Observation/o", "PUT"), ("hook/Observation/o", "DELETE")]
)
def test_without_the_secret_or_the_setting_nothing_comes_in(hooked, make, path, method):
    assert hooked.send(a_value(), path=path, method=method, secret="wrong").status_code == 401
    assert not hooked.kept()
    other = make(rest_hook=False)
    assert other.send(a_value(), path=path, method=method).status_code == 404


def test_open_cases_are_searched_with_a_deadline_and_by_one_worker(make):
    hospital = make(subscriptions=[], poll={"every_s": 10}, header_variable=None)
    told(hospital, an_operation(), *values(3))
    hospital.later(1)
    assert not hospital.kept()  # without a case nobody is asked about
    assert all("Observation?patient" not in one for one in hospital.server.asked)


def test_a_case_that_is_known_is_searched_by_its_patient_and_encounter(make):
    hospital = make(subscriptions=["vitals"], poll={"every_s": 10})
    told(hospital, an_operation())
    hospital.send(hospital.server.notification(1))
    told(hospital, *values(3), a_value(subject={"reference": "Patient/p9"}, seconds=990))
    hospital.later(11)
    assert len(hospital.kept()) == 3
    told(hospital, *values(2, start=3))
    hospital.later(11)
    assert len(hospital.kept()) == 5
    asked = [one for one in hospital.server.asked if "_lastUpdated" in one]
    assert {one.split("&")[0] for one in asked} == {
        "Observation?patient=p1", "Procedure?encounter=Encounter/e1", "Encounter?_id=e1",
    }  # fmt: skip


def test_two_workers_do_not_ask_at_once(make):
    hospital = make(BackportServer(has_events=False), subscriptions=[], rest_hook=True, searches=CRITERIA)
    hospital.later(1)
    hospital.server.asked.clear()
    hospital.now += timedelta(seconds=61)
    assert hospital.positions.lease(TENANT, SEARCHED, hospital.now, 30)
    hospital.recovery.turn()
    assert hospital.server.asked == []
    hospital.later(31)
    assert len(hospital.server.asked) == len(CRITERIA)


def test_a_server_with_another_clock_is_searched_by_its_own(make):
    """Ten minutes behind, it marks what changes with instants that we have seen pass: nothing is missed for that."""
    hospital = make(BackportServer(has_events=False), subscriptions=[], poll={"every_s": 10}, searches=CRITERIA)
    hospital.server.clock = lambda: hospital.now - timedelta(minutes=10)
    for number in range(8):
        told(hospital, *values(1, start=number))
        hospital.later(10)
        assert len(hospital.kept()) == number + 1
