"""The value sets hold what they say: right check digits, sources and trust, and no code where it is excluded."""

from __future__ import annotations

import json
import pickle
import re

import pytest
from fhir.resources.R4B.valueset import ValueSet

from fhir_mappings.terminology import value_sets
from fhir_mappings.terminology.check_digits import modulus_10, verhoeff
from fhir_mappings.terminology.code_systems import CONCEPT, ICD_9_CM, ICD_10, ICD_10_CM, ICD_10_PCS, LOINC, SNOMED_CT
from fhir_mappings.terminology.drug_classes import FORM_DEPENDENT, LOCAL_ROUTES, SYSTEMIC_ROUTES
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import STANDARD, ValueSetError

FILES = sorted(value_sets.DIRECTORY.glob("*.json"))


def codes(system: str) -> list[str]:
    return sorted({rule.value for one in STANDARD.by_id.values() for rule in one.includes + one.excludes
                   if rule.system == system and rule.kind == "code"})  # fmt: skip


def test_the_check_digits_can_fail() -> None:
    assert not verhoeff("447764006")  # circulates as TLIF; invalid
    assert not modulus_10("2160-1")


def test_every_snomed_id_has_its_check_digit() -> None:
    ids = [*codes(SNOMED_CT), *SYSTEMIC_ROUTES, *LOCAL_ROUTES]
    assert [one for one in ids if not verhoeff(one)] == []


def test_every_loinc_code_has_its_check_digit() -> None:
    assert [one for one in codes(LOINC) if not one.startswith("LA") and not modulus_10(one)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_value_set_is_fhir_and_says_where_it_comes_from(path: object) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    ValueSet.model_validate(document)
    assert document["id"] == path.stem  # type: ignore[attr-defined]
    assert all(document[member] for member in ("version", "publisher", "date", "description"))
    assert re.search(r"Sources?( of \w+)?: |ConceptMap|Genomics Reporting", document["description"])
    systems = {part["system"] for part in document["compose"]["include"]}
    assert document.get("copyright") or systems == {CONCEPT}
    for part in document["compose"]["include"]:
        marks = [part, *part.get("concept", ())]
        assert any(
            extension["url"] == value_sets.TRUST_URL for mark in marks for extension in mark.get("extension", ())
        )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_snomed_code_has_its_trust_and_its_set_names_sources(path: object) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    rules = [rule for rule in STANDARD.by_id[document["id"]].includes if rule.system == SNOMED_CT]
    assert {rule.trust for rule in rules} <= {"V", "k"}
    assert len({rule.value for rule in rules}) == len(rules)
    if len(rules) > 9:  # more than the short lists
        assert "Sources of SNOMED CT: " in document["description"]


def test_no_term_of_snomed_and_no_descriptor_of_cpt_is_shipped() -> None:
    concepts = [concept for path in FILES for part in json.loads(path.read_text())["compose"]["include"]
                for concept in part.get("concept", ())]  # fmt: skip
    assert [concept for concept in concepts if "display" in concept] == []
    assert not any("ama-assn" in path.read_text() for path in FILES)


@pytest.mark.parametrize(
    ("system", "code", "holds", "not_in"),
    [
        (ICD_10_CM, "E11.9", "diabetes", ()),
        (ICD_10_CM, "e119", "diabetes", ()),
        (ICD_10, "E11.9", "diabetes", ()),
        (ICD_9_CM, "250.00", "diabetes", ()),
        (ICD_10_CM, "R73.03", None, ("diabetes",)),
        (ICD_10_CM, "O24.410", "pregnancy", ("diabetes",)),
        (ICD_10_CM, "I50.22", "heart-failure", ()),
        (ICD_9_CM, "404.93", "heart-failure", ()),
        (ICD_9_CM, "404.92", None, ("heart-failure",)),
        (ICD_10_CM, "I97.130", "surgical-complication", ("heart-failure",)),
        (ICD_10_CM, "I25.10", "ischaemic-heart-disease", ()),
        (ICD_10_CM, "I25.3", None, ("ischaemic-heart-disease",)),
        (ICD_10_CM, "G45.9", "cerebrovascular-disease", ()),
        (ICD_10_CM, "G45.4", None, ("cerebrovascular-disease",)),
        (ICD_10_CM, "I65.21", None, ("cerebrovascular-disease",)),
        (ICD_10_CM, "J44.1", "copd", ()),
        (ICD_10_CM, "J45.909", None, ("copd",)),
        (ICD_10_CM, "N18.31", "chronic-kidney-disease", ()),
        (ICD_10_CM, "N18.2", None, ("chronic-kidney-disease",)),
        (ICD_10_CM, "I12.9", "hypertension", ("chronic-kidney-disease",)),
        (ICD_10_CM, "C50.911", "cancer", ("metastatic-cancer",)),
        (ICD_10_CM, "C44.91", None, ("cancer",)),
        (ICD_10_CM, "C4A.9", "cancer", ()),
        (ICD_10_CM, "C79.51", "metastatic-cancer", ()),
        (ICD_10_CM, "C79.51", "cancer", ()),
        (ICD_10_CM, "C80.1", "cancer", ("metastatic-cancer",)),
        (ICD_10_CM, "D05.10", None, ("cancer",)),
        (ICD_10_CM, "Z85.3", "cancer-history", ("cancer",)),
        (ICD_10_CM, "Z85.828", None, ("cancer-history",)),
        (ICD_10_CM, "F05", None, ("dementia",)),
        (ICD_10_CM, "T81.44XA", "sepsis", ("surgical-complication",)),
        (ICD_10_CM, "T81.41XA", "surgical-complication", ()),
        (ICD_10_CM, "F17.210", "tobacco-use-disorder", ()),
        (ICD_10_CM, "F17.211", "tobacco-use-history", ("tobacco-use-disorder",)),
        (ICD_10_CM, "F17.220", None, ("tobacco-use-disorder",)),
        (ICD_10_CM, "S32.010A", "acute-injury", ()),
        (ICD_10_CM, "S32.010D", None, ("acute-injury",)),
        (ICD_10_PCS, "0SG00AJ", "spine-fusion", ()),
        (ICD_10_PCS, "0RG10A0", "spine-fusion", ()),
        (ICD_10_PCS, "0RG80AJ", "spine-deformity", ("spine-fusion",)),
        (ICD_10_PCS, "0SB20ZZ", "spine-decompression", ()),
        (ICD_10_PCS, "0SB20ZX", None, ("spine-decompression",)),
        (ICD_10_PCS, "0SG90AZ", None, ("spine-fusion",)),
        (SNOMED_CT, "55705006", "spine-fusion", ()),
        (LOINC, "33914-3", None, ("egfr",)),
    ],
)  # fmt: skip
def test_a_code_is_where_it_belongs(system: str, code: str, holds: str | None, not_in: tuple[str, ...]) -> None:
    found = STANDARD.containing(system, code)
    assert (holds is None) or holds in found
    assert not set(not_in) & set(found)


MEASURED = {name: set(one.codes(LOINC)) for name, one in STANDARD.by_id.items() if one.codes(LOINC)}


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_loinc_code_is_in_one_set_only(name: str) -> None:
    others = {code: other for other, codes_ in MEASURED.items() if other != name for code in codes_}
    assert {code: others[code] for code in MEASURED[name] if code in others} == {}


# One code of each ICD-10-PCS table that a group selects: no code may fall into two groups.
PCS = [rule.value for one in STANDARD.by_id.values() for rule in one.includes if rule.system == ICD_10_PCS]


@pytest.mark.parametrize("pattern", PCS)
def test_every_pcs_pattern_selects_codes_of_one_group_only(pattern: str) -> None:
    examples = [_example(pattern, choice) for choice in (0, -1)]
    groups = [set(STANDARD.containing(ICD_10_PCS, example)) & set(GROUPS) for example in examples]
    assert all(len(found) <= 1 for found in groups)
    assert all(len(example) == 7 for example in examples)


def _example(pattern: str, choice: int) -> str:
    text = re.sub(r"\[([^\]]+)\]", lambda match: _expanded(match[1])[choice], pattern)
    text = re.sub(r"\.\{(\d)\}", lambda match: "Z" * int(match[1]), text)
    return text.replace(".", "Z")


def _expanded(choices: str) -> str:
    return re.sub(r"(\w)-(\w)", lambda m: "".join(chr(n) for n in range(ord(m[1]), ord(m[2]) + 1)), choices)


def test_a_file_that_cannot_be_used_is_named(tmp_path: object) -> None:
    path = tmp_path / "broken.json"  # type: ignore[operator]
    path.write_text('{"resourceType": "ValueSet", "id": "broken"}')
    with pytest.raises(ValueSetError, match=r"broken\.json"):
        value_sets.load(tmp_path)  # type: ignore[arg-type]


def test_form_dependent_ingredients_are_numbers() -> None:
    assert all(code.isdigit() for code in FORM_DEPENDENT)


def test_value_sets_are_the_same_in_another_process() -> None:
    """Spark sends them to its workers, with what was remembered left behind."""
    assert STANDARD.containing(SNOMED_CT, "44054006") == ("diabetes",)
    there = pickle.loads(pickle.dumps(STANDARD))
    assert there.by_id == STANDARD.by_id
    assert there.containing(SNOMED_CT, "44054006") == ("diabetes",)
