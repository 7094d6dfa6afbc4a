"""A result that stands elsewhere than by itself is told as recorded; what is clear about one widens no other."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.features.queries import prefetch_templates
from fhir_mappings.fhir.resource_types import R4_TYPES
from fhir_mappings.results.feature import Features
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import vocabulary
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import (
    DEMO_MAPS,
    MEASUREMENTS,
    PATIENT_ID,
    a_patient,
    a_quantity,
    an_observation,
    coded,
    days_ago,
    derived,
)

Resource = dict[str, Any]
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
LOCAL = coded(("urn:oid:1.2.3", "KREA"), text="Kreatinin")
MODIFIER = [{"url": "http://hospital.example/not-this-patient", "valueBoolean": True}]
OWN_NUMBER = {"system": "urn:oid:9.9", "value": "4711"}
WORDS = vocabulary(STANDARD, DEMO_MAPS)
ONE_VALUE = {rule.idea for rule in RULES.values() if rule.name != "spo2"} | {"asa-class"}
NEVER, UNCLEAR = "never-recorded", "not-understood"


def panel(**members: Any) -> Resource:
    return an_observation("24323-8", None, id="panel", **members)


def report(**members: Any) -> Resource:
    made = {"resourceType": "DiagnosticReport", "id": "report", "status": "final", "code": coded((LOINC, "24323-8"))}
    return made | {"subject": SUBJECT, "effectiveDateTime": days_ago(10)} | members


def inside(one: Resource) -> Resource:
    return {name: value for name, value in one.items() if name != "subject"}


def part_of(one: Resource) -> Resource:
    return {"code": one["code"], "valueQuantity": one["valueQuantity"]}


# How one result can come and not be read.
WAYS: dict[str, Any] = {
    "of somebody unknown": lambda one: one | {"focus": [{"display": "donor"}]},
    "of somebody unresolved": lambda one: one | {"focus": [{"reference": "urn:uuid:5"}]},
    "contained in a panel": lambda one: panel(contained=[inside(one)], hasMember=[{"reference": f"#{one['id']}"}]),
    "contained alone in no list": lambda one: panel(contained=inside(one)),
    "contained in a report": lambda one: report(contained=[inside(one)], result=[{"reference": f"#{one['id']}"}]),
    "contained in a result of an input": lambda one: an_observation("777-3", 200, "10*3/uL", contained=[inside(one)]),
    "contained in a panel in a panel": lambda one: panel(contained=[inside(panel(contained=[inside(one)]))]),
    "contained in a panel of nobody": lambda one: inside(panel(contained=[inside(one)])),
    "contained in a report with a modifier": lambda one: report(contained=[inside(one)], modifierExtension=MODIFIER),
    "of status registered, with a value": lambda one: one | {"status": "registered"},
    "with a modifier": lambda one: one | {"modifierExtension": MODIFIER},
    "of nobody": inside,
    "without a status": lambda one: {name: value for name, value in one.items() if name != "status"},
    "of another status": lambda one: one | {"status": "FINAL"},
    "of status unknown": lambda one: one | {"status": "unknown"},
    "with a member of STU3": lambda one: one | {"comment": "seen"},
    "with a broken time": lambda one: one | {"effectiveDateTime": 5},
    "with a broken coding beside it": lambda one: one | {"code": {"coding": [5, *one["code"]["coding"]]}},
}


def reasons(found: Features) -> dict[str, str | None]:
    """Why each measurement has no value, of those that are not computed of others."""
    return {name: found[name].reason for name in MEASUREMENTS if name not in ("egfr", "bmi", "platelets")}


@pytest.mark.parametrize("way", WAYS)
def test_a_result_under_a_local_code_leaves_every_input_open(way: str) -> None:
    found = derived(WAYS[way](an_observation(LOCAL, 4.4, "mg/dL", id="krea")))
    assert set(reasons(found).values()) == {UNCLEAR}


@pytest.mark.parametrize("way", WAYS)
def test_a_result_that_says_of_what_it_is_leaves_no_other_open(way: str) -> None:
    found = reasons(derived(WAYS[way](an_observation("2160-0", 4.4, "mg/dL", id="krea"))))
    assert found.pop("creatinine") not in (None, NEVER, UNCLEAR)
    assert set(found.values()) == {NEVER}


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
@pytest.mark.parametrize("code", [LOCAL, coded((LOINC, "2160-0"))])
@pytest.mark.parametrize("way", [way for way in WAYS if "status" not in way])
def test_what_was_withdrawn_leaves_nothing_open(way: str, code: Resource, status: str) -> None:
    found = derived(WAYS[way](an_observation(code, 4.4, "mg/dL", id="krea", status=status)))
    assert set(reasons(found).values()) == {NEVER}


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
@pytest.mark.parametrize("code", [LOCAL, coded((LOINC, "2160-0"))])
def test_what_was_withdrawn_hands_over_nothing(code: Resource, status: str) -> None:
    one = inside(an_observation(code, 4.4, "mg/dL", id="krea"))
    for holder in (panel, report):
        assert set(reasons(derived(holder(contained=[one], status=status))).values()) == {NEVER}
    not_sent = panel(hasMember=[{"reference": "Observation/gone"}], status=status)
    assert set(reasons(derived(not_sent)).values()) == {NEVER}


def test_a_part_of_a_panel_under_a_local_code_leaves_every_input_open() -> None:
    for code in (coded((LOINC, "24323-8")), LOCAL):
        whole = an_observation(code, None, component=[part_of(an_observation(LOCAL, 4.4, "mg/dL"))])
        assert set(reasons(derived(whole)).values()) == {UNCLEAR}


def test_a_panel_of_a_local_name_whose_parts_or_members_say_what_they_are_leaves_nothing_open() -> None:
    haemoglobin = an_observation("718-7", 13.9, "g/dL", id="hb")
    in_parts = an_observation(LOCAL, None, component=[part_of(haemoglobin)])
    named = an_observation(LOCAL, None, id="panel", hasMember=[{"reference": "Observation/hb"}])
    for sent in ((in_parts,), (named, haemoglobin)):
        found = reasons(derived(*sent))
        assert (found.pop("haemoglobin"), set(found.values())) == (None, {NEVER})
    valued = an_observation(LOCAL, 4.4, "mg/dL", hasMember=[{"reference": "Observation/hb"}])
    for both in ((named, valued, haemoglobin), (valued, named, haemoglobin)):
        assert derived(*both)["creatinine"].reason == UNCLEAR


VITAL_SIGNS = ("364075005", "78564009", "86290005", "271649006", "271650006", "276885007", "386725007")


def test_vital_signs_by_snomed_codes_leave_nothing_open() -> None:
    for one in VITAL_SIGNS:
        assert set(reasons(derived(an_observation(coded((SNOMED_CT, one)), 80, "/min"))).values()) == {NEVER}, one
    parts = [part_of(an_observation(coded((SNOMED_CT, one)), 80, "mm[Hg]")) for one in VITAL_SIGNS[3:5]]
    for panel_code in ((LOINC, "85353-1"), (SNOMED_CT, "75367002"), ("urn:oid:1.2.3", "RR")):
        assert set(reasons(derived(an_observation(coded(panel_code), None, component=parts))).values()) == {NEVER}


@pytest.mark.parametrize(
    ("code", "reason"),
    [("85354-9", NEVER), ("55284-4", NEVER), ("24323-8", UNCLEAR), ("85353-1", UNCLEAR)],
)
def test_a_part_of_a_blood_pressure_is_one_whatever_it_is_called(code: str, reason: str) -> None:
    whole = an_observation(code, None, component=[part_of(an_observation(LOCAL, 80, "mm[Hg]"))])
    turned = whole | {"modifierExtension": MODIFIER}
    read = part_of(an_observation("2160-0", 4.4, "mg/dL"))
    for sent in (whole, turned):
        assert derived(sent)["haemoglobin"].reason == reason
    assert derived(whole | {"component": [*whole["component"], read]})["creatinine"].value == 4.4


ASKED = sorted(
    {
        token
        for key in ("labs", "observations")
        for part in prefetch_templates(DEMO_MAPS)[key].split("&")
        if part.startswith("code=")
        for token in part.removeprefix("code=").split(",")
    }
)


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_by_its_code_widens_no_other_input_by_what_it_names(asked: str) -> None:
    """A pregnancy with its expected date of birth, an electrocardiogram with its intervals, a type and screen."""
    system, _, code = asked.partition("|")
    alone = an_observation(coded((system, code)), None, id="one", valueString="see members")
    naming = alone | {"hasMember": [{"reference": "Observation/not-asked-for"}], "derivedFrom": [{"reference": "x/1"}]}
    plain, found = derived(alone), derived(naming)
    assert [name for name in plain if plain[name] != found[name]] == []
    found = derived(naming | {"component": [{"code": LOCAL, "valueQuantity": a_quantity(420, "ms")}]})
    is_one_value = ONE_VALUE.issuperset(WORDS.ideas(system, code))
    assert any(one.reason == UNCLEAR for one in found.values()) is is_one_value


@pytest.mark.parametrize(
    ("member", "is_gone"),
    [
        ({"reference": "Observation/gone"}, True),
        ({"reference": "https://ehr.example/r4/Observation/gone/_history/2"}, True),
        ({"reference": "#gone"}, True),
        ({"reference": "urn:uuid:gone"}, True),
        ({"identifier": {"value": "accession-1"}}, True),
        ({"identifier": {"value": "accession-1"}, "type": "Observation"}, True),
        ({"reference": "Observation/hb"}, False),
        ({"reference": "urn:uuid:hb"}, False),
        ({"reference": "https://ehr.example/r4/Observation/hb/_history/2"}, False),
        ({"reference": "QuestionnaireResponse/q"}, False),
        ({"identifier": {"value": "1"}, "type": "QuestionnaireResponse"}, False),
        ({"identifier": {"value": "1"}, "type": "Laboratory"}, True),
        ({"display": "Haemoglobin"}, True),
        ({"display": "Haemoglobin", "type": "Observation"}, True),
        ({"display": "Answers", "type": "QuestionnaireResponse"}, False),
        ({"extension": [{"url": "urn:masked", "valueCode": "masked"}]}, True),
        ({"reference": "Observation?identifier=1"}, True),
        ({"reference": "gone"}, True),
        ({"reference": "hb"}, False),
        ({"reference": "https://lab.example/results/gone"}, True),
        ({"reference": "MolecularSequence/1"}, False),
        ({"reference": "Observation/"}, True),
        ({}, False),
    ],
)
def test_a_member_that_did_not_come_leaves_every_input_open(member: Resource, is_gone: bool) -> None:
    sent = an_observation("718-7", 13.9, "g/dL", id="hb")
    for members in ([member], member):
        assert derived(panel(hasMember=members), sent)["creatinine"].reason == (UNCLEAR if is_gone else NEVER)


@pytest.mark.parametrize("way", ["of nobody", "with a modifier", "with a broken time", "of another status"])
def test_a_member_that_came_and_was_not_read_is_not_gone(way: str) -> None:
    member = WAYS[way](an_observation("2160-0", 4.4, "mg/dL", id="krea"))
    found = reasons(derived(panel(hasMember=[{"reference": "Observation/krea"}]), member))
    assert found.pop("creatinine") not in (None, NEVER, UNCLEAR)
    assert set(found.values()) == {NEVER}


def test_a_local_result_that_is_ordered_and_not_there_leaves_nothing_open() -> None:
    ordered = an_observation(LOCAL, None, status="registered")
    assert set(reasons(derived(ordered)).values()) == {NEVER}


PEOPLE = {"Patient", "RelatedPerson", "Person", "Group", "Practitioner", "PractitionerRole"}


@pytest.mark.parametrize("kind", sorted(R4_TYPES - PEOPLE))
def test_what_is_about_a_thing_of_the_patients_is_the_patients(kind: str) -> None:
    for focus in (
        [{"reference": f"{kind}/1"}],
        [{"reference": f"https://ehr.example/r4/{kind}/1/_history/3"}],
        [{"type": kind, "identifier": {"value": "1"}}],
        [{"reference": "#it"}],
    ):
        contained = [{"resourceType": kind, "id": "it"}]
        assert derived(an_observation(focus=focus, contained=contained))["creatinine"].value == 1.1, focus


OTHERS: dict[str, Any] = {
    **{kind: [{"reference": f"{kind}/another"}] for kind in sorted(PEOPLE)},
    "an unborn child": [{"reference": "Patient/fetus"}],
    "the patient and a donor": [SUBJECT, {"reference": "Patient/donor"}],
    "words": [{"display": "donor"}],
    "a contained relative": [{"reference": "#relative"}],
    "a contained patient": [{"reference": "#patient"}],
    "the specimen of a donor": [{"reference": "#specimen"}],
    "the specimen of a contained donor": [{"reference": "#chain"}],
    "what is not contained": [{"reference": "#gone"}],
    "another patient by number": [{"type": "Patient", "identifier": OWN_NUMBER | {"value": "1"}}],
    "a relative by number": [{"type": "RelatedPerson", "identifier": OWN_NUMBER}],
    "a type that is none": [{"reference": "Donor/1"}],
    "an id alone": [{"reference": PATIENT_ID}],
    "a name that no Bundle gives": [{"reference": "urn:uuid:1"}],
    "a text": "Patient",
    "nothing in it": [{}],
}
INSIDE = [
    {"resourceType": "RelatedPerson", "id": "relative"},
    {"resourceType": "Patient", "id": "patient"},
    {"resourceType": "Specimen", "id": "specimen", "subject": {"reference": "Patient/donor"}},
    {"resourceType": "Specimen", "id": "chain", "subject": {"reference": "#patient"}},
    {"resourceType": "Specimen", "id": "mine", "subject": SUBJECT},
    {"resourceType": "Patient", "id": "me", "identifier": [OWN_NUMBER]},
    {"resourceType": "Specimen", "id": "circle", "subject": {"reference": "#circle"}},
]


@pytest.mark.parametrize("focus", OTHERS.values(), ids=list(OTHERS))
def test_what_is_about_somebody_else_is_not_read_and_told(focus: Any) -> None:
    found = derived(an_observation(focus=focus, contained=INSIDE))["creatinine"]
    assert (found.status, found.reason) == ("rejected", "unreadable")


@pytest.mark.parametrize(
    "focus",
    [
        [SUBJECT],
        SUBJECT,
        [{"reference": f"https://ehr.example/r4/Patient/{PATIENT_ID}/_history/2"}],
        [{"reference": f"urn:uuid:{PATIENT_ID}"}],
        [{"type": "Patient", "identifier": OWN_NUMBER}],
        [{"type": "http://hl7.org/fhir/StructureDefinition/Patient", "identifier": OWN_NUMBER}],
        [{"identifier": OWN_NUMBER}],
        [{"reference": "#me"}],
        [{"reference": "#mine"}],
        [{"reference": "#"}],
        [],
    ],
)
def test_what_is_about_the_patient_is_read(focus: Any) -> None:
    person = a_patient(identifier=[OWN_NUMBER])
    assert derived(person, an_observation(focus=focus, contained=INSIDE))["creatinine"].value == 1.1


def test_what_points_in_a_circle_is_of_nobody() -> None:
    found = derived(an_observation(focus=[{"reference": "#circle"}], contained=INSIDE))
    assert found["creatinine"].reason == "unreadable"
