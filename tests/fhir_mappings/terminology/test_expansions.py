"""A site's expansion adds to a shipped set, or stands in its place where the site says so, and never by half."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology import expansions
from fhir_mappings.terminology.code_systems import ICD_9_CM, ICD_10, ICD_10_CM, SNOMED_CT
from fhir_mappings.terminology.value_sets import STANDARD, ValueSetError, ValueSets

SNOMED_ONLY = frozenset({SNOMED_CT})
ALL_SYSTEMS = [(ICD_10_CM, "E11.9"), (ICD_10, "E11"), (ICD_9_CM, "250.00"), (SNOMED_CT, "44054006")]


def an_expansion(*codes: tuple[str, str], **members: Any) -> dict[str, Any]:
    contains = [{"system": system, "code": code} for system, code in codes]
    return {"resourceType": "ValueSet", "version": "2026-11", "expansion": {"contains": contains, **members}}


def applied(
    name: str, *codes: tuple[str, str], systems: frozenset[str] = frozenset(), replaces: bool = True
) -> ValueSets:
    read = [expansions.read_expansion(name, [an_expansion(*codes)])]
    return expansions.applied(STANDARD, read, systems=systems, replaces=replaces)


@pytest.mark.parametrize("name", sorted(STANDARD.by_id))
def test_DEC_41_an_expansion_adds_to_any_set_and_takes_nothing_away(name: str) -> None:
    """Whatever the set: what is shipped means the same afterwards, and the site's code means it too."""
    sets = applied(name, (SNOMED_CT, "987654321"), replaces=False)
    assert name in sets.containing(SNOMED_CT, "987654321")
    shipped = [rule for rule in STANDARD.by_id[name].includes if rule.kind != "regex"]
    assert all(
        sets.containing(rule.system, rule.value) == STANDARD.containing(rule.system, rule.value) for rule in shipped
    )
    assert [one for one in STANDARD.by_id[name].includes if one not in sets.by_id[name].includes] == []


def test_a_code_that_the_shipped_set_keeps_out_is_not_added_in_silence() -> None:
    kept_out = STANDARD.by_id["cancer-history"].excludes[0]
    with pytest.raises(ValueSetError, match=f"cancer-history: .*{kept_out.value} out"):
        applied("cancer-history", (kept_out.system, kept_out.value), replaces=False)


def test_a_code_that_is_shipped_and_the_sites_is_listed_once() -> None:
    sets = applied("diabetes", (SNOMED_CT, "44054006"), replaces=False)
    assert sets.codes("diabetes", SNOMED_CT).count("44054006") == 1


def test_an_expansion_replaces_the_whole_set_and_no_other() -> None:
    sets = applied("diabetes", *ALL_SYSTEMS)
    assert "diabetes" in sets.containing(ICD_10_CM, "E11.9")
    assert sets.containing(ICD_10_CM, "E10.9") == tuple(
        name for name in STANDARD.containing(ICD_10_CM, "E10.9") if name != "diabetes"
    )
    assert "heart-failure" in sets.containing(ICD_10_CM, "I50.9")
    assert sets.by_id["diabetes"].version == "2026-11"
    assert {rule.trust for rule in sets.by_id["diabetes"].includes} == {expansions.SITE}


def test_an_expansion_may_replace_the_codes_of_one_code_system_only() -> None:
    sets = applied("diabetes", ("urn:oid:2.16.840.1.113883.6.96", "1481000119100"), systems=SNOMED_ONLY)
    assert "diabetes" in sets.containing(SNOMED_CT, "1481000119100")
    assert "diabetes" not in sets.containing(SNOMED_CT, "44054006")
    assert "diabetes" in sets.containing(ICD_10_CM, "E10.9")
    assert "diabetes" not in sets.containing(ICD_10_CM, "R73.03")


def test_nested_and_paged_codes_are_read_and_abstract_and_inactive_ones_are_not() -> None:
    first = an_expansion(total=4, timestamp="2026-11-24T00:00:00Z")
    first["expansion"]["contains"] = [
        {"system": SNOMED_CT, "code": "73211009", "contains": [{"system": SNOMED_CT, "code": "46635009"}]},
        {"system": SNOMED_CT, "code": "1", "abstract": True},
    ]
    second = an_expansion((SNOMED_CT, "44054006"))
    second["expansion"]["contains"].append({"system": SNOMED_CT, "code": "2", "inactive": True})
    found = expansions.read_expansion("diabetes", [first, second])
    assert [rule.value for rule in found.rules] == ["73211009", "46635009", "44054006"]
    assert (found.timestamp, found.systems) == ("2026-11-24T00:00:00Z", SNOMED_ONLY)


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([], "no expansion"),
        ([{"resourceType": "ValueSet"}], "no expansion"),
        ([{"resourceType": "OperationOutcome", "expansion": "gone"}], "no expansion"),
        ([an_expansion()], "empty"),
        ([an_expansion((SNOMED_CT, "44054006"), total=9)], "1 of 9"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_name(pages: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ValueSetError, match=f"diabetes: .*{why}"):
        expansions.read_expansion("diabetes", pages)


@pytest.mark.parametrize(
    ("name", "codes", "systems", "why"),
    [
        ("unheard-of", ALL_SYSTEMS, frozenset(), "unheard-of: there is no such value set"),
        ("diabetes", ALL_SYSTEMS[:3], frozenset(), "diabetes: the expansion has no code of http://snomed.info/sct"),
        ("diabetes", ALL_SYSTEMS[:3], SNOMED_ONLY, "diabetes: the expansion has no code of http://snomed.info/sct"),
        ("smoking-never", [(SNOMED_CT, "449868002")], SNOMED_ONLY, "smoking-current.*449868002.*smoking-never"),
    ],
)
def test_an_expansion_never_takes_codes_away_in_silence(
    name: str, codes: list[tuple[str, str]], systems: frozenset[str], why: str
) -> None:
    with pytest.raises(ValueSetError, match=why):
        applied(name, *codes, systems=systems)


def a_list_of_no_idea(*codes: tuple[str, str], systems: frozenset[str] = frozenset()) -> ValueSets:
    return expansions.reviewed(STANDARD, expansions.read_expansion("reviewed", [an_expansion(*codes)]), systems=systems)


def test_a_sites_own_list_of_reviewed_codes_makes_them_understood_and_of_no_idea() -> None:
    sets = a_list_of_no_idea((SNOMED_CT, "987654321"), (ICD_10, "E11"), systems=SNOMED_ONLY)
    assert sets.containing(SNOMED_CT, "987654321") == ()
    assert sets.reviewed == {(SNOMED_CT, "987654321")}


@pytest.mark.parametrize(
    ("codes", "systems", "why"),
    [
        ([(ICD_10, "Z00")], SNOMED_ONLY, "has no code of http://snomed.info/sct"),
        ([(SNOMED_CT, "44054006")], frozenset(), "44054006 is also in diabetes"),
    ],
)
def test_a_list_that_holds_nothing_or_an_idea_is_refused(
    codes: list[tuple[str, str]], systems: frozenset[str], why: str
) -> None:
    with pytest.raises(ValueSetError, match=why):
        a_list_of_no_idea(*codes, systems=systems)
