"""What a Subscription sends: let in by its secret, taken once whatever the order, and missed by nobody in silence."""

import random

import pytest

from cds_service.during_subscriptions import missed_events
from cds_service.trust.errors import NotReady
from tests.cds_service.during.hospitals import a_value, an_operation
from tests.cds_service.during.test_case_pages import words_of
from tests.cds_service.during_subscriptions.backport_server import BackportServer
from tests.cds_service.during_subscriptions.sourced_hospital import TENANT, told, values
from tests.fhir_mappings.during.observed import BLOOD_LOSS, HEART_RATE, MAP_INVASIVE, quantity


def test_a_handshake_is_answered_and_nothing_is_missing(make):
    hospital = make()
    answer = hospital.send(hospital.server.handshake())
    assert (answer.status_code, answer.json["missing"]) == (200, 0)
    assert hospital.positions.of_tenant(TENANT)["vitals"].heard_at == hospital.now


def test_full_resources_are_taken_as_a_posted_bundle_is(hospital):
    for one in (an_operation(), *values(5)):
        (number,) = told(hospital, one)
        assert hospital.send(hospital.server.notification(number)).json["missing"] == 0
    assert len(hospital.kept()) == 5
    assert "missing" not in hospital.page()


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_any_repetition_give_the_same(hospital, seed):
    drawn = random.Random(seed)
    numbers = told(hospital, *values(20))
    sent = drawn.sample(numbers, 20) + drawn.choices(numbers, k=10)
    for number in sent:
        assert hospital.send(hospital.server.notification(number)).status_code == 200
    position = hospital.positions.of_tenant(TENANT)["vitals"]
    assert (len(hospital.kept()), position.numbers.taken, position.numbers.missing) == (20, 20, ())
    assert not position.gaps


def test_many_events_in_one_notification(hospital):
    numbers = told(hospital, *values(20))
    answer = hospital.send(hospital.server.notification(*numbers))
    assert (answer.json["kept"], answer.json["missing"]) == (20, 0)


@pytest.mark.parametrize("content", ["id-only", "empty"])
def test_what_is_only_named_is_read_from_the_server(hospital, content):
    numbers = told(hospital, an_operation(), *values(5))
    hospital.send(hospital.server.notification(*numbers, content=content))
    hospital.later(2)
    assert len(hospital.kept()) == 5
    assert not hospital.positions.of_tenant(TENANT)["vitals"].numbers.missing
    assert any("_id=" in one if content == "id-only" else "$events" in one for one in hospital.server.asked)


def test_what_is_read_is_read_with_the_token_of_the_tenant(make, monkeypatch):
    monkeypatch.setenv("READS", "the-token")
    hospital = make(token_variable="READS")
    hospital.server.token = "the-token"
    hospital.send(hospital.server.handshake())
    (number,) = told(hospital, *values(1))
    assert hospital.send(hospital.server.notification(number, content="id-only")).json["kept"] == 1


def test_a_server_that_does_not_answer_leaves_what_it_names_missing_until_it_does(hospital):
    told(hospital, an_operation())
    hospital.send(hospital.server.notification(1))
    hospital.server.is_down = True
    numbers = told(hospital, *values(3))
    assert hospital.send(hospital.server.notification(*numbers, content="id-only")).json["missing"] == 3
    hospital.later(2)
    assert "Values may be missing since" in words_of_page(hospital)
    hospital.server.is_down = False
    hospital.settled()
    assert len(hospital.kept()) == 3
    hospital.send(hospital.server.heartbeat())
    assert "missing" not in words_of_page(hospital)


def words_of_page(hospital):
    class Answer:
        text = hospital.page()

    return words_of(Answer)


@pytest.mark.parametrize("way", ["jump", "heartbeat", "start"])
def test_what_was_not_delivered_is_asked_for_by_number(hospital, way):
    told(hospital, an_operation(), *values(30))
    for number in (1, 2, 3):
        hospital.send(hospital.server.notification(number))
    if way == "jump":
        hospital.send(hospital.server.notification(31))
    elif way == "heartbeat":
        hospital.send(hospital.server.heartbeat())
    else:
        hospital.recovery.serves(hospital.recovery._taker, [site for site, _ in hospital.recovery._sites])
    hospital.later(2)
    assert len(hospital.kept()) == 30
    position = hospital.positions.of_tenant(TENANT)["vitals"]
    assert (position.numbers.missing, position.gaps, position.ask_at) == ((), (), None)


def test_a_minute_of_outage_loses_no_value(hospital):
    """Seven signals at a value a second; for 60 s nothing is delivered, and the page says so until all is there."""
    told(hospital, an_operation())
    hospital.send(hospital.server.notification(1))
    codes = [f"8867-{number}" for number in range(7)]
    for second in range(90):
        sent = [a_value(value=80, seconds=second) | {"id": f"o-{code}-{second}"} for code in codes]
        numbers = told(hospital, *sent)
        if not 15 <= second < 75:
            hospital.send(hospital.server.notification(*numbers))
        hospital.now = hospital.now.replace(microsecond=second)
        if second == 75:
            assert "Values may be missing since" in words_of_page(hospital)
    hospital.later(2)
    assert len(hospital.kept()) == 630
    assert "missing" not in words_of_page(hospital)


@pytest.mark.parametrize(
    "searches", [[], ["Observation?category=vital-signs", "Procedure?status=in-progress,completed"]]
)
def test_without_events_a_search_finds_what_was_missed_and_else_the_gap_is_told(make, searches):
    hospital = make(BackportServer(has_events=False), searches=searches)
    hospital.send(hospital.server.handshake())
    told(hospital, an_operation(), *values(10))
    hospital.send(hospital.server.notification(1))
    hospital.send(hospital.server.notification(11))
    hospital.settled()
    hospital.send(hospital.server.heartbeat())
    assert not hospital.positions.of_tenant(TENANT)["vitals"].numbers.missing
    assert len(hospital.kept()) == 10
    assert ("are lost, or were withdrawn" in words_of_page(hospital)) == (not searches)


def test_what_the_server_has_forgotten_is_a_gap_for_ever_and_there_is_no_score(make):
    hospital = make(BackportServer(keeps=2))
    hospital.send(hospital.server.handshake())
    numbers = told(
        hospital,
        {"resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01"},
        *[a_value(MAP_INVASIVE, 80, 60.0 * minute) for minute in range(60)],
        *[a_value(HEART_RATE, 70, 60.0 * minute) for minute in range(60)],
        a_value(BLOOD_LOSS, 100, 3500) | {"valueQuantity": quantity(100, "mL")},
        an_operation(3600),
    )
    hospital.now = hospital.now.replace(hour=10)
    hospital.send(hospital.server.notification(*numbers))
    assert "of 10 points" in words_of_page(hospital)
    told(hospital, *[a_value(HEART_RATE, 40, 60.0 * minute + 30) for minute in range(9)])
    hospital.send(hospital.server.notification(len(hospital.server.events)))
    hospital.settled()
    words = words_of_page(hospital)
    assert "are lost, or were withdrawn" in words
    assert "of 10 points" not in words
    assert "values may be missing" in words


def test_a_subscription_that_counts_anew_is_followed(hospital):
    told(hospital, *values(5))
    hospital.send(hospital.server.notification(1, 2, 3, 4, 5))
    hospital.server.events.clear()
    hospital.send(hospital.server.handshake())
    told(hospital, *values(3, start=10))
    hospital.send(hospital.server.notification(3))
    hospital.later(2)
    assert len(hospital.kept()) == 8


def test_nor_does_it_have_to_say_so(hospital):
    told(hospital, *values(5))
    hospital.send(hospital.server.notification(1, 2, 3, 4, 5))
    hospital.server.events.clear()
    told(hospital, *values(2, start=10))
    hospital.send(hospital.server.heartbeat())
    hospital.later(2)
    hospital.later(2)
    assert len(hospital.kept()) == 7


def test_what_was_deleted_is_told_for_nobody_says_of_whom(hospital):
    told(hospital, an_operation(), *values(2))
    hospital.send(hospital.server.notification(1, 2, 3))
    hospital.server.delete(hospital.server.events[-1])
    hospital.send(hospital.server.notification(4))
    assert "were withdrawn without saying of whom" in words_of_page(hospital)


def test_a_subscription_that_stops_is_told_until_it_goes_on_and_the_time_between_for_ever(hospital):
    told(hospital, an_operation(), *values(2))
    hospital.send(hospital.server.notification(1, 2, 3))
    hospital.server.state = "error"
    hospital.send(hospital.server.heartbeat())
    hospital.later(30)
    assert "Values may be missing since" in words_of_page(hospital)
    hospital.server.state = "active"
    hospital.send(hospital.server.heartbeat())
    assert "are lost" in words_of_page(hospital)


def test_a_subscription_that_falls_silent_is_asked_and_told(make):
    hospital = make(heartbeat_s=10)
    hospital.send(hospital.server.handshake())
    told(hospital, an_operation(), *values(2))
    hospital.send(hospital.server.notification(1))
    hospital.server.is_down = True
    hospital.later(60)
    assert "Values may be missing since" in words_of_page(hospital)
    hospital.server.is_down = False
    hospital.settled()
    assert len(hospital.kept()) == 2


def test_a_subscription_that_was_never_heard_is_told(hospital, make):
    told(hospital, an_operation(), *values(2))
    hospital.send(hospital.server.notification(1, 2, 3))
    other = make(subscriptions=["vitals", "procedures"])
    assert "Values may be missing since" in words_of_page(other)


def test_what_names_nobody_is_not_given_to_the_only_other_patient(hospital):
    nameless = a_value(seconds=99)
    del nameless["subject"]
    told(hospital, an_operation(), a_value(), nameless)
    answer = hospital.send(hospital.server.notification(1, 2, 3))
    assert (answer.json["kept"], answer.json["lost"]) == (2, 1)
    assert "are lost" in words_of_page(hospital)


def test_an_encounter_of_another_patient_takes_nothing_else_with_it(hospital):
    told(hospital, a_value(), a_value(seconds=20, subject={"reference": "Patient/p2"}), a_value(seconds=30))
    answer = hospital.send(hospital.server.notification(1, 2, 3))
    assert answer.status_code == 200
    assert (len(hospital.kept()), answer.json["lost"]) == (2, 1)


def test_a_fault_of_ours_ends_no_thread_that_asks_for_what_is_missing(hospital, monkeypatch):
    told(hospital, an_operation(), *values(2))
    hospital.send(hospital.server.notification(1))
    hospital.send(hospital.server.notification(3))

    def broken(_asked):
        raise RuntimeError("a fault")

    with monkeypatch.context() as faulty:
        faulty.setattr(missed_events, "recover", broken)
        hospital.later(61)
    assert len(hospital.kept()) == 1
    hospital.settled()
    assert len(hospital.kept()) == 2


def test_a_source_that_cannot_be_taken_is_asked_ever_later_and_keeps_nobody_from_the_others(make, monkeypatch):
    hospital = make(subscriptions=["vitals", "procedures"])
    hospital.settled()
    asked = []

    def full(one):
        asked.append(one.name)
        if one.name == "vitals":
            raise NotReady("There is no room for another case.", retry_after_s=600)

    monkeypatch.setattr(missed_events, "recover", full)
    for name in ("vitals", "procedures"):
        hospital.positions.change(TENANT, name, lambda one: one.asked_next(hospital.now), hospital.now)
    for _ in range(60):
        hospital.later(1)
    assert asked.count("procedures") > 0
    assert 1 < asked.count("vitals") < 12
