"""National editions of ICD-10: what was checked is read, what was not is not understood (DEC-37, inputs 5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_mappings.terminology import icd_editions
from fhir_mappings.terminology.code_systems import (
    ICD_9_CM,
    ICD_10,
    ICD_10_AM,
    ICD_10_CA,
    ICD_10_CM,
    ICD_10_FR,
    ICD_10_GM,
    ICD_10_JP,
    ICD_10_NL,
    ICD_10_NO,
    ICD_10_SE,
    ICD_10_UK,
    SKS,
    normalised,
)
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary
from fhir_mappings.terminology.icd_editions import CATEGORIES, EDITIONS, REFINEMENTS, hfrs_category, is_classified
from fhir_mappings.terminology.icd_spelling import COLUMNS, FORMS, in_who_terms, spelled
from fhir_mappings.terminology.understanding import why_not_understood
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import a_condition, coded, derived

WORDS = vocabulary(STANDARD, EMPTY)
# What no edition but CM (and its like) may say otherwise: WHO's own meaning, as far as the edition has the category.
EVERYWHERE = (
    ("E10.9", {"diabetes"}, set()),
    ("E11.9", {"diabetes"}, set()),
    ("E14.9", {"diabetes"}, set()),  # not in CM
    ("E16.2", set(), {"diabetes"}),
    ("F00.1", {"dementia", "charlson-dementia"}, set()),  # not in CM
    ("F03", {"dementia"}, set()),
    ("F05.9", set(), {"dementia"}),
    ("I10", {"hypertension"}, set()),
    ("I25.1", {"ischaemic-heart-disease"}, set()),
    ("I25.3", set(), {"ischaemic-heart-disease"}),
    ("I50.9", {"heart-failure"}, set()),
    ("I64", {"cerebrovascular-disease"}, set()),  # not in CM
    ("I69.4", {"cerebrovascular-disease"}, set()),
    ("I65.2", set(), {"cerebrovascular-disease"}),
    ("G45.4", set(), {"cerebrovascular-disease"}),
    ("J44.9", {"copd", "charlson-pulmonary-disease"}, set()),
    ("J45.9", set(), {"copd"}),
    ("N18.5", {"chronic-kidney-disease"}, {"dialysis-dependence"}),
    ("N18.2", set(), {"chronic-kidney-disease"}),
    ("C34.1", {"cancer"}, {"metastatic-cancer"}),
    ("C44.3", set(), {"cancer"}),
    ("C79.5", {"metastatic-cancer", "cancer"}, set()),
    ("C80.0", {"cancer"}, {"metastatic-cancer"}),  # metastatic in CM only
    ("C97", {"cancer"}, {"metastatic-cancer"}),  # not in CM
    ("R57.2", {"septic-shock"}, set()),
    ("Z95.1", {"ischaemic-heart-disease"}, set()),
    ("Z95.5", {"ischaemic-heart-disease"}, set()),
    ("Z99.2", {"dialysis-dependence", "chronic-kidney-disease"}, set()),
    ("Z94.0", {"kidney-transplant"}, set()),
    ("M96.1", {"spine-surgery-history"}, set()),
    ("Z33", {"pregnancy"}, set()),
    ("E78.5", set(), {"diabetes"}),
    ("K21.9", set(), set()),
    ("M54.5", set(), set()),
)
NATIONAL = sorted(EDITIONS - {ICD_10_CM})
# (edition, code as it is written there, what it means, what it does not mean)
OWN = (
    (ICD_10_GM, "I50.13", {"heart-failure"}, set()),
    (ICD_10_GM, "E11.90", {"diabetes"}, {"charlson-complicated-diabetes"}),
    (ICD_10_GM, "C34.1", {"cancer"}, set()),
    (ICD_10_GM, "I25.13", {"ischaemic-heart-disease"}, set()),
    (ICD_10_GM, "N18.4", {"chronic-kidney-disease"}, set()),
    (ICD_10_GM, "I50.13 G", {"heart-failure"}, set()),
    (ICD_10_GM, "M17.1 R G", set(), set()),
    (ICD_10_GM, "e11.20+", {"diabetes", "charlson-complicated-diabetes"}, set()),
    (ICD_10_GM, "N18.89", {"chronic-kidney-disease"}, set()),
    (ICD_10_GM, "N18.80", set(), {"chronic-kidney-disease"}),
    (ICD_10_GM, "G31.82", {"dementia"}, set()),
    (ICD_10_GM, "G47.31", {"sleep-apnoea"}, set()),
    (ICD_10_GM, "G47.30", set(), {"sleep-apnoea"}),
    (ICD_10_GM, "Z72.0", set(), {"tobacco-use-disorder"}),  # alcohol, tobacco, drugs or medicines
    (ICD_10_GM, "U80.0!", set(), {"hfrs-codes"}),
    (ICD_10_GM, "U09.9!", set(), set()),
    (ICD_10_GM, "Z92.1", {"anticoagulant-use"}, set()),
    (ICD_10_AM, "E09.9", set(), {"diabetes"}),  # intermediate hyperglycaemia
    (ICD_10_AM, "E11.22", {"diabetes", "charlson-complicated-diabetes"}, set()),
    (ICD_10_AM, "U79.1", {"dementia"}, set()),
    (ICD_10_AM, "U80.1", set(), {"hfrs-codes"}),  # Parkinson's disease, no resistance
    (ICD_10_AM, "U82.1", {"ischaemic-heart-disease"}, set()),
    (ICD_10_AM, "U82.2", {"heart-failure"}, set()),
    (ICD_10_AM, "U82.3", {"hypertension"}, set()),
    (ICD_10_AM, "U83.2", {"copd"}, set()),
    (ICD_10_AM, "U83.3", {"charlson-pulmonary-disease"}, {"copd"}),  # asthma
    (ICD_10_AM, "U87.1", {"chronic-kidney-disease"}, set()),
    (ICD_10_AM, "R65.1", {"sepsis"}, {"sirs"}),
    (ICD_10_AM, "N18.90", {"chronic-kidney-disease"}, set()),
    (ICD_10_AM, "Z86.43", {"tobacco-use-history"}, set()),
    (ICD_10_AM, "Z92.22", {"insulin-use"}, set()),
    (SKS, "DI509", {"heart-failure"}, set()),
    (SKS, "DI50.9", {"heart-failure"}, set()),
    (SKS, "di501b", {"heart-failure"}, set()),
    (SKS, "DE149", {"diabetes"}, set()),
    (ICD_10_SE, "I48.9A", {"arrhythmia"}, set()),
    (ICD_10_SE, "Z72.0A", {"tobacco-use-disorder"}, set()),
    (ICD_10_SE, "Z72.0B", set(), {"tobacco-use-disorder"}),  # snuff
    (ICD_10_SE, "M96.1K", {"spine-surgery-history"}, set()),
    (ICD_10_SE, "G31.8A", {"dementia"}, set()),
    (ICD_10_FR, "I50.19", {"heart-failure"}, set()),
    (ICD_10_FR, "C80+0", {"cancer"}, {"metastatic-cancer"}),
    (ICD_10_FR, "Z99.2+1", {"dialysis-dependence"}, set()),
    (ICD_10_FR, "F17.24", {"tobacco-use-disorder"}, set()),
    (ICD_10_NO, "F17.20", {"tobacco-use-history"}, {"tobacco-use-disorder"}),
    (ICD_10_UK, "I10X", {"hypertension"}, set()),
    (ICD_10_CA, "B24", {"charlson-hiv"}, set()),
    (ICD_10, "R65.1", {"sepsis"}, {"sirs"}),  # infectious, with organ failure
    (ICD_10, "R65.2", {"sirs"}, {"sepsis"}),
    (ICD_10, "F00.1*", {"dementia"}, set()),
    (ICD_10_CM, "R65.10", {"sirs"}, {"sepsis"}),
    (ICD_10_CM, "C80.0", {"metastatic-cancer"}, set()),
    (ICD_10_CM, "E09.9", {"diabetes"}, set()),
)  # fmt: skip


def of(edition: str, code: str) -> str:
    return f"D{code}" if edition == SKS else code


def why(edition: str, code: str) -> str | None:
    return why_not_understood(edition, code, WORDS)


@pytest.mark.parametrize("edition", NATIONAL)
@pytest.mark.parametrize(("code", "means", "not_in"), EVERYWHERE)
def test_what_is_agreed_means_the_same_in_every_edition(
    edition: str, code: str, means: set[str], not_in: set[str]
) -> None:
    found = set(STANDARD.containing(edition, of(edition, code)))
    assert means <= found
    assert not not_in & found
    assert why(edition, of(edition, code)) is None


@pytest.mark.parametrize(("edition", "code", "means", "not_in"), OWN)
def test_an_edition_is_read_as_it_is_written_there(edition: str, code: str, means: set[str], not_in: set[str]) -> None:
    found = set(STANDARD.containing(edition, code))
    assert means <= found
    assert not not_in & found
    assert why(edition, code) is None


@pytest.mark.parametrize(
    ("edition", "code"),
    [
        (ICD_10_CM, "E14.9"),
        (ICD_10_CM, "I64"),
        (ICD_10_CM, "F00.1"),
        (ICD_10_CM, "C97"),
        (ICD_10, "E09.9"),
        (ICD_10, "C4A.9"),
        (ICD_10, "S32.010A"),
        (ICD_10_GM, "E09"),
        (ICD_10_GM, "I50.13 V"),  # suspected
        (ICD_10_GM, "I50.13A"),  # excluded
        (ICD_10_GM, "I50.13 Z"),  # a state after it
        (ICD_10_GM, "E11.90+ G63.2*"),  # two codes in one
        (ICD_10_CA, "B20"),  # used otherwise there
        (ICD_10_CA, "U07.1"),  # no list of its own codes could be had
        (ICD_10_AM, "B12"),
        (SKS, "I509"),
        (SKS, "KNAG40"),  # an operation
        (SKS, "DR651"),  # in no list that could be checked
        (SKS, "D509"),
        (ICD_10_SE, "UA3290"),
        (ICD_10_JP, "B0EF"),  # an exchange code of MEDIS
        (ICD_10_NL, "E08"),
        (ICD_9_CM, "019.0"),
        (ICD_9_CM, "E859"),
        (ICD_9_CM, "V38"),
    ],
)
def test_a_code_without_a_checked_row_is_not_understood_and_means_nothing(edition: str, code: str) -> None:
    assert STANDARD.containing(edition, code) == ()
    assert why(edition, code) == "code-not-listed"
    assert hfrs_category(edition, code) is None


LETTERS = [chr(number) for number in range(ord("A"), ord("Z") + 1)]
POSSIBLE = sorted({f"{letter}{n:02}" for letter in LETTERS for n in range(100)} | {one for _, one in CATEGORIES})


@pytest.mark.parametrize("edition", sorted(EDITIONS))
def test_every_category_without_a_row_is_not_understood_whatever_stands_behind_it(edition: str) -> None:
    for category in POSSIBLE:
        row = CATEGORIES.get((edition, category))
        for code in (category, category + "9", category + ".1"):
            if row is None or not FORMS[edition].fullmatch(normalised(edition, of(edition, code))):
                assert why(edition, of(edition, code)) == "code-not-listed"
                assert STANDARD.containing(edition, of(edition, code)) == ()
            else:
                assert why(edition, of(edition, code)) is None


@pytest.mark.parametrize("edition", sorted(EDITIONS - {ICD_10, ICD_10_CM}))
def test_an_own_category_takes_no_idea_from_who(edition: str) -> None:
    adding = {one.code[:3] for one in REFINEMENTS if one.edition == edition and one.adds}
    own = [category for (where, category), row in CATEGORIES.items() if where == edition and row == "o"]
    assert [one for one in own if one not in adding and STANDARD.containing(edition, of(edition, one))] == []
    assert [one for one in own if hfrs_category(edition, of(edition, one))] == []


def test_every_row_is_loaded_and_well_formed() -> None:
    rows = {edition: sum(where == edition for where, _ in CATEGORIES) for edition in EDITIONS}
    assert min(rows.values()) > 1600
    assert all(len(category) == 3 and category[0].isalpha() and category[1].isdigit() for _, category in CATEGORIES)
    assert set(CATEGORIES.values()) == {"=", "o"}


def test_every_refinement_changes_something_by_an_idea_that_exists() -> None:
    for one in REFINEMENTS:
        assert one.idea in STANDARD.by_id
        assert is_classified(one.edition, one.code)
        assert (one.idea in STANDARD.containing(one.edition, one.code)) == one.adds


@pytest.mark.parametrize(
    "text",
    [
        "wrong,header\n",
        "# a source\ncategory," + ",".join(COLUMNS) + "\nE10,=\n",
        "category," + ",".join(COLUMNS) + "\nE10" + ",?" * len(COLUMNS) + "\n",
    ],
)
def test_a_table_that_cannot_be_used_is_named(text: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "icd_categories.csv").write_text(text)  # type: ignore[operator]
    monkeypatch.setattr(icd_editions, "_DIRECTORY", tmp_path)
    with pytest.raises(icd_editions.CheckedRowError, match=r"icd_categories\.csv"):
        icd_editions._categories()


@example(edition=ICD_10_CM, code="0\x1f.")
@given(edition=st.sampled_from(sorted(EDITIONS)), code=st.text(max_size=40))
def test_spelling_a_code_twice_changes_nothing_and_never_fails(edition: str, code: str) -> None:
    once = spelled(edition, code)
    assert spelled(edition, once) == once
    assert STANDARD.containing(edition, code) == () or is_classified(edition, once)


@given(
    edition=st.sampled_from(NATIONAL),
    row=st.sampled_from(EVERYWHERE),
    dress=st.sampled_from(("{}", " {} ", "{}*", "{}+", "{}†", "{}!", "{}-", "{}.-", "{}#")),
    lower=st.booleans(),
)
def test_marks_blanks_and_case_make_no_other_code(
    edition: str, row: tuple[str, set[str], set[str]], dress: str, lower: bool
) -> None:
    plain = of(edition, row[0])
    written = dress.format(plain.lower() if lower else plain)
    assert STANDARD.containing(edition, written) == STANDARD.containing(edition, plain)


def test_the_frailty_score_takes_the_category_of_every_edition() -> None:
    assert hfrs_category(ICD_10_GM, "G81.9") == "G81"
    assert hfrs_category(SKS, "DG819") == "G81"
    assert hfrs_category(ICD_10_SE, "M96.1K") == "M96"
    assert hfrs_category(ICD_10_CM, "N39.0") == "N39"
    assert hfrs_category(ICD_10_AM, "U80.1") is None
    assert hfrs_category(ICD_9_CM, "428.0") is None
    assert hfrs_category("https://site.example/codes", "G81.9") is None


def test_icd_9_is_as_it_was() -> None:
    assert "heart-failure" in STANDARD.containing(ICD_9_CM, "428.0")
    assert [why(ICD_9_CM, code) for code in ("401.9", "V45.11", "E885.9")] == [None] * 3
    assert in_who_terms(ICD_10, "D509") == "D509"


def test_the_five_diagnoses_of_a_german_problem_list_are_read() -> None:
    """field/icd10gm-problem-list.json: told as "none recorded" until this edition was read."""
    codes = ("I50.13", "E11.90", "C34.1", "I25.13", "N18.4")
    found = derived(*(a_condition(coded((ICD_10_GM, code)), id=f"c-{code}") for code in codes))
    names = ("heart_failure", "diabetes", "cancer", "ischaemic_heart_disease", "chronic_kidney_disease")
    assert {name: found[name].value for name in names} == dict.fromkeys(names, True)
    assert {code: why(ICD_10_GM, code) for code in codes} == dict.fromkeys(codes)


def test_the_documentation_tells_the_number_of_rows() -> None:
    text = (Path(icd_editions.__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
    for row, words in (("=", "categories as WHO's"), ("o", "of its own")):
        counts = [sum(CATEGORIES[key] == row for key in CATEGORIES if key[0] == one) for one in COLUMNS.values()]
        assert f"| {words} | {' | '.join(map(str, counts))} |" in text
