"""The written definitions: strict, sourced, of outcomes that models know or a site may fit, and told on their page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from cds_service.advice.outcomes import BY_NAME
from fhir_mappings.fhir.elements import CodeableConcept, Coding
from fhir_mappings.outcomes import code_meaning, definitions_page, outcome_definitions
from fhir_mappings.outcomes.outcome_definitions import DEFINITIONS, DIRECTORY
from fhir_mappings.terminology.check_digits import is_plausible
from fhir_mappings.terminology.code_systems import NAMES
from fhir_mappings.terminology.icd_editions import is_classified
from fhir_mappings.terminology.icd_spelling import ICD_10, ICD_10_CM, spelled
from models_onnx.data_files import DataFileError
from models_onnx.site_outcomes import site_outcomes
from tests.fhir_mappings.outcomes.base_case import WORDS

LISTS = [
    (one.name, codes)
    for one in DEFINITIONS
    for codes in (*one.diagnoses, *one.postoperative, *one.could_be, *one.procedures, *one.procedures_could_be)
]


def test_the_page_is_what_the_definitions_say() -> None:
    page = definitions_page.PAGE.read_text(encoding="utf-8")
    told = "it is made anew by: python -m fhir_mappings.outcomes.definitions_page"
    assert page == definitions_page.with_definitions(page), told
    assert "pneumonia" in definitions_page.made()


def test_every_outcome_of_a_model_is_defined_or_told_as_not_derived() -> None:
    named = {one.name for one in DEFINITIONS} | {one.name for one in outcome_definitions.not_derived()}
    assert BY_NAME.keys() <= named
    of_models = {one.name for one in DEFINITIONS if one.scope == "model"}
    assert of_models <= BY_NAME.keys()
    assert not BY_NAME.keys() & outcome_definitions.SITE_OUTCOMES
    assert all(one.why.strip() for one in outcome_definitions.not_derived())


def test_what_a_site_may_learn_to_foresee_is_what_is_derived_under_the_same_name() -> None:
    horizons = {one.name: one.horizon_days for one in DEFINITIONS}
    learned = {name: one.outcome.horizon_days for name, one in site_outcomes().items()}
    assert {name: days for name, days in learned.items() if name in horizons} == {
        name: days for name, days in horizons.items() if name in learned
    }
    assert learned.keys() <= horizons.keys() | {one.name for one in outcome_definitions.not_derived()}


@pytest.mark.parametrize(("name", "codes"), LISTS)
def test_every_code_is_one(name: str, codes: outcome_definitions.OutcomeCodes) -> None:
    for code in codes.codes:
        match NAMES[codes.system]:
            case "http://snomed.info/sct":
                assert is_plausible(NAMES[codes.system], code), code
            case system if system in (ICD_10, ICD_10_CM):
                assert is_classified(system, spelled(system, code)), code
            case _:
                assert re.fullmatch(r"[0-9A-Z]{5,7}", code), code


def test_no_code_is_the_outcome_and_perhaps_the_outcome() -> None:
    """A wider code may be listed above; the same code in two lists would be a contradiction."""
    for one in DEFINITIONS:
        listed = [
            (codes.system, code)
            for codes in (*one.diagnoses, *one.postoperative, *one.could_be)
            for code in codes.codes
        ]
        assert len(listed) == len(set(listed)), one.name


@pytest.mark.parametrize(
    ("edition", "code", "outcome", "expected"),
    [
        ("icd-10-cm", "J18.9", "pneumonia", "is"),
        ("icd-10-cm", "J18", "pneumonia", "is"),
        ("icd-10-cm", "J95", "pneumonia", "could"),
        ("icd-10-cm", "J95.851", "pneumonia", "postoperative"),
        ("icd-10-cm", "E11.9", "pneumonia", "other"),
        ("icd-10-cm", "not a code", "pneumonia", "unknown"),
        ("icd-10", "J96", "respiratory-failure", "could"),
        ("icd-10", "J96.1", "respiratory-failure", "other"),
        ("icd-10-gm", "J96.00", "respiratory-failure", "is"),
        ("icd-10-cm", "I97.7", "cardiac-arrest-or-mi", "could"),
        ("icd-9-cm", "486", "pneumonia", "unknown"),
        ("icd-9-cm", "997.31", "pneumonia", "unknown"),
        ("icd-10-gm", "D90", "pneumonia", "unknown"),
        ("snomed-ct", "233604007", "pneumonia", "is"),
        ("snomed-ct", "44054006", "pneumonia", "other"),
        ("snomed-ct", "404684003", "pneumonia", "unknown"),
        ("snomed-ct", "410429000", "pneumonia", "other"),
        ("icd-10-cm", "X" * 100, "pneumonia", "unknown"),
    ],
)
def test_what_a_code_is_to_an_outcome(edition: str, code: str, outcome: str, expected: str) -> None:
    concept = CodeableConcept(coding=(Coding(system=NAMES[edition], code=code),))
    assert code_meaning.of_diagnosis(concept, outcome_definitions.BY_NAME[outcome], WORDS) == expected


def test_of_two_codes_the_surer_one_counts() -> None:
    pneumonia = outcome_definitions.BY_NAME["pneumonia"]
    other, it = Coding(system=ICD_10_CM, code="E11.9"), Coding(system=NAMES["snomed-ct"], code="233604007")
    assert code_meaning.of_diagnosis(CodeableConcept(coding=(other, it)), pneumonia, WORDS) == "is"
    unknown = Coding(system="https://hospital.example", code="1")
    assert code_meaning.of_diagnosis(CodeableConcept(coding=(other, unknown)), pneumonia, WORDS) == "other"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "another"}, "its name is not that of its file"),
        ({"scopes": "model"}, "unknown field"),
        ({"near": ["no-such-idea"]}, "no value set is called so"),
        ({"diagnoses": [{"system": "klingon", "codes": ["1"], "source": "x"}]}, "no code system is called so"),
        ({"diagnoses": [{"system": "icd-10", "codes": ["J18"], "source": " "}]}, "is empty"),
        ({"diagnoses": [{"system": "icd-10", "codes": [], "source": "x"}]}, "is none"),
        ({"diagnoses": [{"system": "icd-10", "codes": ["J18"]}]}, "missing required field `source`"),
        ({"horizon_days": 0}, "is none"),
        ({"earliest_day": 31}, "is none"),
        ({"earliest_day": -1}, "is none"),
        ({"kind": "death"}, "codes belong to an event"),
        ({"parts": ["pneumonia"]}, "parts belong to any-of"),
    ],
)
def test_a_definition_with_a_fault_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    members = yaml.safe_load((DIRECTORY / "pneumonia.yaml").read_text(encoding="utf-8"))
    (tmp_path / "pneumonia.yaml").write_text(yaml.safe_dump({**members, **change}), encoding="utf-8")
    with pytest.raises(DataFileError, match=re.escape(told)):
        outcome_definitions.load(tmp_path)


def test_a_part_that_has_no_definition_is_refused(tmp_path: Path) -> None:
    path = DIRECTORY / "major-cardiac-event.yaml"
    (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataFileError, match="no definition of 30-day-death"):
        outcome_definitions.load(tmp_path)
