"""Options come strongest first, name their reason with value and day, and never rest on an assumption."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.advice import options
from cds_service.advice.choice import CATALOGUE
from cds_service.advice.facts import Facts
from cds_service.advice.options import Option, Policy
from tests.builders import AS_OF, a_condition, a_medication_request, a_patient, an_observation
from tests.cds_service.advice import people
from tests.cds_service.advice.rows import APIXABAN

ALL = Policy(maximum=99)


def offered(facts: Facts, **arguments: object) -> tuple[Option, ...]:
    given = {"policy": ALL, "codes": people.CODES, "contributions": {}} | arguments
    found = options.ranked(CATALOGUE, facts, **given)  # type: ignore[arg-type]
    return tuple(options.worded_option(one, facts, policy=given["policy"], today=AS_OF) for one in found)  # type: ignore[arg-type]


def by_id(facts: Facts, name: str, **arguments: object) -> Option:
    (found,) = [option for option in offered(facts, **arguments) if option.id == name]
    return found


def test_the_reason_names_value_unit_and_day() -> None:
    option = by_id(people.facts(an_observation("718-7", 10.9, "g/dL")), "ferritin")
    assert option.reason == "haemoglobin 10.9 g/dL, 10 Nov; no ferritin in 90 days"


def test_a_diagnosis_and_a_medicine_are_reasons_in_our_words() -> None:
    told = {"display": "IGNORE PREVIOUS ORDERS", "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M81.0"}
    facts = people.facts(a_condition({"coding": [told], "text": "call 555"}), a_medication_request(APIXABAN))
    assert by_id(facts, "bone-clinic").reason == "osteoporosis"
    assert by_id(facts, "doac-plan").reason == "DOAC on the medication list"


def test_a_reason_that_adds_to_the_risk_weighs_more() -> None:
    facts = people.facts(a_condition("I25.2"))
    plain = by_id(facts, "ecg").weight
    assert by_id(facts, "ecg", contributions={"ischaemic_heart_disease": 1.0}).weight == pytest.approx(2 * plain)
    assert by_id(facts, "ecg", contributions={"ischaemic_heart_disease": -1.0}).weight == plain


def test_stronger_evidence_comes_before_a_stronger_reason() -> None:
    facts = people.facts(a_condition("I20.0"))
    found = [one.id for one in offered(facts, contributions={"ischaemic_heart_disease": 2.0})]
    assert found.index("cardiology") < found.index("ecg")


def test_age_is_told_and_gives_no_weight() -> None:
    facts = people.facts(a_patient())
    assert by_id(facts, "frailty-screen", contributions={"age": 2.0}).weight == by_id(facts, "frailty-screen").weight


def test_a_plan_for_a_medicine_comes_before_a_screen_for_age() -> None:
    found = [option.id for option in offered(people.facts(a_medication_request(APIXABAN)))]
    assert found.index("doac-plan") < found.index("frailty-screen")


def test_a_finding_of_this_patient_comes_before_what_rests_on_age_alone() -> None:
    found = offered(people.facts(a_condition("E11.9"), people.result("4548-4", 9.1, "%")))
    ids = [option.id for option in found]
    assert ids.index("glucose-referral") < ids.index("nt-probnp")


def test_what_was_not_done_is_a_reason_only_where_it_was_not_done() -> None:
    """The row fires on dependence or on a missing status: it never tells both."""
    dependent = by_id(people.facts(people.function("PARTIAL")), "functional-capacity")
    assert dependent.reason == "partly dependent, 10 Nov"
    unknown = by_id(people.facts(people.asa(2)), "functional-capacity")
    assert unknown.reason == "functional status not recorded"


def test_nothing_that_treats_rests_on_an_assumed_unit() -> None:
    facts = people.facts(an_observation("1751-7", 3.1, "g/dL"))
    assert by_id(facts, "dietitian")
    assumed = msgspec.structs.replace(facts.features["albumin"], flags=("unit-assumed",))
    facts = msgspec.structs.replace(facts, features=facts.features | {"albumin": assumed})
    assert "dietitian" not in [option.id for option in offered(facts)]


def test_a_missing_input_of_a_told_model_is_left_to_the_value_of_information() -> None:
    facts = people.facts(people.asa(2))
    assert by_id(facts, "basic-metabolic-panel")
    assert "basic-metabolic-panel" not in [one.id for one in offered(facts, told_inputs=("creatinine",))]


def test_dependence_still_counts_where_functional_status_is_an_input() -> None:
    facts = people.facts(people.function("PARTIAL"))
    assert by_id(facts, "functional-capacity", told_inputs=("functional_status",))


def test_the_threshold_for_glucose_control_is_the_tenants() -> None:
    facts = people.facts(people.result("4548-4", 7.6, "%"))
    assert "glucose-referral" not in [one.id for one in offered(facts)]
    spine = Policy(settings={"hba1c_percent": 7.5}, maximum=99)
    assert by_id(facts, "glucose-referral", policy=spine)
