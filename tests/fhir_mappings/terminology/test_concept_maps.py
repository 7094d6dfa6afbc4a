"""A site's codes mean what its ConceptMap says, and a map that cannot be trusted stops the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap

from fhir_mappings.terminology import concept_maps, expansions
from fhir_mappings.terminology.code_systems import (
    ATC,
    CONCEPT,
    CPT,
    ICD_9_CM,
    ICD_10,
    ICD_10_CM,
    ICD_10_PCS,
    LOINC,
    RXNORM,
    SNOMED_CT,
    TEXT,
)
from fhir_mappings.terminology.concept_map_files import REPLACES_URL
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMapError, vocabulary
from fhir_mappings.terminology.understanding import why_not_understood
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import DEMO_CODES, DEMO_MAPS


def a_map(*elements: tuple[str, str, str, str], **members: Any) -> dict[str, Any]:
    """A map of (source system, source code, target system, target code) rows."""
    return {
        "resourceType": "ConceptMap",
        "name": "SiteCodes",
        "version": "3",
        "contact": [{"name": "Dr. Approver"}],
        "group": [
            {"source": source, "target": target, "element": [
                {"code": code, "target": [{"code": meaning, "equivalence": "equivalent"}]}]}
            for source, code, target, meaning in elements
        ],
        **members,
    }  # fmt: skip


def loaded(tmp_path: Path, document: dict[str, Any]) -> concept_maps.ConceptMaps:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(document))
    return concept_maps.load([path])


def test_a_local_code_means_a_standard_code_or_a_clinical_idea(tmp_path: Path) -> None:
    maps = loaded(tmp_path, a_map(("urn:site", "HGB", LOINC, "718-7"), ("urn:site", "FUS", CONCEPT, "spine-fusion")))
    words = vocabulary(STANDARD, maps)
    assert words.ideas("urn:site", "HGB") == ("haemoglobin",)
    assert words.ideas("urn:site", "FUS") == ("spine-fusion",)
    assert words.ideas("urn:site", "unheard-of") == ()


def test_an_exact_text_may_be_mapped_and_nothing_like_it(tmp_path: Path) -> None:
    words = vocabulary(STANDARD, loaded(tmp_path, a_map((TEXT, "Hgb A1c", LOINC, "4548-4"))))
    assert words.ideas_of_text("Hgb A1c") == ("hba1c",)
    assert words.ideas_of_text("Hgb A1c goal") == ()


def test_a_map_tells_its_version_and_who_approved_it(tmp_path: Path) -> None:
    info = loaded(tmp_path, a_map(("urn:site", "HGB", LOINC, "718-7"))).sources[0]
    assert (info.name, info.version, info.approver) == ("SiteCodes", "3", "Dr. Approver")


def a_group(*elements: dict[str, Any], source: str = "urn:site", target: str = LOINC, **members: Any) -> dict[str, Any]:
    return {"source": source, "target": target, "element": list(elements), **members}


def an_element(code: str, meaning: str, **members: Any) -> dict[str, Any]:
    return {"code": code, "target": [{"code": meaning, "equivalence": "equivalent", **members}]}


def a_target(**members: Any) -> dict[str, Any]:
    """A map whose one target has these members, or lacks those that are None."""
    target = {"code": "718-7", "equivalence": "equivalent"} | members
    kept = {name: value for name, value in target.items() if value is not None}
    return a_map(group=[a_group({"code": "HGB", "target": [kept]})])


RIGHT = ("urn:site", "HGB", LOINC, "718-7")
REFUSED = {
    "a target system that is not read": (a_map(("urn:site", "HGB", "urn:elsewhere", "718-7")), "urn:elsewhere"),
    "a target in no list: concept": (a_map(("urn:site", "HGB", CONCEPT, "no-such-idea")), "HGB → no-such-idea"),
    "a target in no list: LOINC": (a_map(("urn:site", "HGB", LOINC, "99999-9")), "HGB → 99999-9"),
    "a target in no list: SNOMED": (a_map(("urn:site", "HGB", SNOMED_CT, "123")), "HGB → 123"),
    "a target in no list: ICD-10": (a_map(("urn:site", "HGB", ICD_10, "not-a-code")), "HGB → not-a-code"),
    "a target in no list: PCS": (a_map(("urn:site", "HGB", ICD_10_PCS, "0ZZZZZZ")), "HGB → 0ZZZZZZ"),
    "a target in no list: CPT": (a_map(("urn:site", "HGB", CPT, "22612")), "HGB → 22612"),
    "a target in no list: RxNorm": (a_map(("urn:site", "HGB", RXNORM, "insulin")), "HGB → insulin"),
    "a target in no list: ATC": (a_map(("urn:site", "HGB", ATC, "A10Z9")), "HGB → A10Z9"),
    "a target in no list: second of two": (a_map(RIGHT, ("urn:site", "X", LOINC, "99999-9")), "X → 99999-9"),
    "no version": (a_map(RIGHT, version=""), "no version"),
    "nobody approved it": (a_map(RIGHT, contact=[]), "no contact"),
    "an empty approver": (a_map(RIGHT, contact=[{"name": ""}]), "no contact"),
    "another resource": (a_map(RIGHT, resourceType="ValueSet"), "not a ConceptMap"),
    "the target says more": (a_target(equivalence="narrower"), "HGB .narrower."),
    "no equivalence": (a_target(equivalence=None), "HGB: a target has no equivalence"),
    "an equivalence of R5": (a_target(equivalence="related-to"), "HGB: related-to"),
    "dependsOn": (a_target(dependsOn=[{"property": "urn:p", "value": "1"}]), "HGB: dependsOn"),
    "product": (a_target(product=[{"property": "urn:p", "value": "1"}]), "HGB: dependsOn and product"),
    "a target without a code": (a_target(code=""), "HGB has no target yet"),
    "no target": (a_map(group=[a_group({"code": "HGB"})]), "HGB has no target yet"),
    "an element without a code": (a_map(group=[a_group(an_element("", "718-7"))]), "urn:site has no code"),
    "no source": (a_map(group=[a_group(an_element("A", "718-7"), source="")]), "no source"),
    "unmapped: another map": (
        a_map(group=[a_group(unmapped={"mode": "other-map", "url": "urn:other"})]), "urn:other: add that file"),
    "unmapped: an unknown mode": (a_map(group=[a_group(unmapped={"mode": "use-source-code"})]), "use-source-code"),
    "unmapped: fixed without a code": (a_map(group=[a_group(unmapped={"mode": "fixed"})]), "fixed and has no code"),
    "unmapped: fixed to no list": (
        a_map(group=[a_group(unmapped={"mode": "fixed", "code": "99999-9"})]), "99999-9 leads nowhere"),
    "unmapped: any text is something": (
        a_map(group=[a_group(source=TEXT, unmapped={"mode": "fixed", "code": "718-7"})]), "cannot be"),
    "unmapped: local codes as ideas": (
        a_map(group=[a_group(target=CONCEPT, unmapped={"mode": "provided"})]), "cannot be"),
    "replaces: not yes or no": (a_map(RIGHT, replaces="yes"), "replaces"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_map_that_cannot_be_trusted_is_refused_by_file_and_code(tmp_path: Path, name: str) -> None:
    document, why = REFUSED[name]
    with pytest.raises(ConceptMapError, match=rf"site\.json:.* .*{why}"):
        loaded(tmp_path, document)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"resourceType": "ConceptMap"}', b"[" * 100_000])
def test_a_file_that_is_no_map_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.json"
    path.write_bytes(content)
    with pytest.raises(ConceptMapError, match=r"site\.json"):
        concept_maps.load([path])


def test_the_first_of_many_wrong_codes_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    wrong = [an_element(f"L{number}", "99999-9") for number in range(9)]
    with pytest.raises(ConceptMapError, match=r"L0 → 99999-9, .*L4 → 99999-9 \(and 4 more\)"):
        loaded(tmp_path, a_map(group=[a_group(*wrong)]))


@pytest.mark.parametrize(
    ("system", "code"),
    [(ICD_10_CM, "E11.9"), (ICD_10, "j06.9"), (RXNORM, "6809"), (ATC, "C09AA05"), (SNOMED_CT, "44054006")],
)
def test_a_target_in_a_list_or_in_a_system_read_as_a_whole_is_taken(tmp_path: Path, system: str, code: str) -> None:
    maps = loaded(tmp_path, a_map(("urn:site", "X", system, code)))
    assert len(maps.translate("urn:site", "X")) == 1


def test_a_code_that_only_the_sites_terminology_server_lists_may_be_a_target(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(a_map(("urn:site", "DM", SNOMED_CT, "987654321"))))
    answer = {"expansion": {"contains": [{"system": SNOMED_CT, "code": "987654321"}]}}
    sets = expansions.applied(STANDARD, [expansions.read_expansion("diabetes", [answer])])
    assert vocabulary(sets, concept_maps.load([path], sets=sets)).ideas("urn:site", "DM") == ("diabetes",)


def test_the_same_row_twice_says_the_same(tmp_path: Path) -> None:
    maps = loaded(tmp_path, a_map(RIGHT, RIGHT))
    assert maps.translate("urn:site", "HGB") == ((LOINC, "718-7"),)


def test_a_code_is_found_however_it_is_dotted(tmp_path: Path) -> None:
    maps = loaded(tmp_path, a_map((ICD_9_CM, "81.08", CONCEPT, "spine-fusion")))
    assert maps.translate(ICD_9_CM, "8108") == maps.translate(ICD_9_CM, "81.08") == ((CONCEPT, "spine-fusion"),)
    assert maps.codes_for(frozenset({"spine-fusion"})) == ((ICD_9_CM, "81.08"),)


def unmapped(tmp_path: Path, *elements: dict[str, Any], target: str = LOINC, **rule: Any) -> concept_maps.ConceptMaps:
    return loaded(tmp_path, a_map(group=[a_group(*elements, target=target, unmapped=rule)]))


def test_codes_that_are_not_named_are_kept_as_they_are_where_the_map_says_so(tmp_path: Path) -> None:
    nothing = {"code": "4548-4", "target": [{"equivalence": "unmatched"}]}
    maps = unmapped(tmp_path, an_element("718-7", "2160-0"), nothing, mode="provided")
    words = vocabulary(STANDARD, maps)
    assert words.ideas("urn:site", "2276-4") == ("ferritin",)
    assert words.ideas("urn:site", "718-7") == ("creatinine",), "a named code means what the element says"
    assert words.ideas("urn:site", "4548-4") == (), "and one that was said to mean nothing means nothing"
    assert words.ideas("urn:elsewhere", "2276-4") == ()
    assert ("urn:site", "2276-4") in maps.codes_for(frozenset({"ferritin"}))
    assert ("urn:site", "718-7") not in maps.codes_for(frozenset({"haemoglobin"}))


def test_a_code_kept_as_it_is_that_no_list_has_is_not_understood(tmp_path: Path) -> None:
    words = vocabulary(STANDARD, unmapped(tmp_path, target=ICD_10, mode="provided"))
    assert why_not_understood("urn:site", "E11", words) is None
    assert why_not_understood("urn:site", "DIAB", words) == "system-not-read"


def test_codes_that_are_not_named_become_the_fixed_one_where_the_map_says_so(tmp_path: Path) -> None:
    maps = unmapped(tmp_path, an_element("H", "718-7"), mode="fixed", code="2160-0")
    words = vocabulary(STANDARD, maps)
    assert (words.ideas("urn:site", "anything"), words.ideas("urn:site", "H")) == (("creatinine",), ("haemoglobin",))


def with_demo(tmp_path: Path, document: dict[str, Any]) -> concept_maps.Vocabulary:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(document))
    return vocabulary(STANDARD, concept_maps.load([path], shipped=[concept_maps.DEMO]))


OWN_FUSION = (CPT, "22612", CONCEPT, "spine-deformity")
IN_THE_FILE = {"extension": [{"url": REPLACES_URL, "valueBoolean": True}]}


def test_DEC_41_a_map_of_a_site_adds_to_every_code_that_is_shipped(tmp_path: Path) -> None:
    own = with_demo(tmp_path, a_map(OWN_FUSION, (SNOMED_CT, "44054006", CONCEPT, "hypertension")))
    for system, code in DEMO_MAPS.codes_for(frozenset(STANDARD.by_id)):
        shipped = vocabulary(STANDARD, DEMO_MAPS).ideas(system, code)
        assert set(own.ideas(system, code)) >= set(shipped), code
    assert set(own.ideas(CPT, "22612")) == {"spine-fusion", "spine-deformity"}
    assert set(own.ideas(SNOMED_CT, "44054006")) == {"diabetes", "hypertension"}
    assert [one.name for one in own.maps.sources] == ["DemonstrationCodes", "SiteCodes"]


@pytest.mark.parametrize("said", [IN_THE_FILE, {"replaces": True}], ids=["extension", "member"])
def test_DEC_41_a_map_replaces_only_where_it_says_so(tmp_path: Path, said: dict[str, Any]) -> None:
    own = with_demo(tmp_path, a_map(OWN_FUSION, (ICD_10_CM, "E11.9", CONCEPT, "hypertension"), **said))
    assert own.ideas(CPT, "22612") == ("spine-deformity",)
    assert own.ideas(CPT, "22630") == (), "the shipped map's codes of that system are gone"
    assert own.ideas(ICD_10_CM, "E119") == ("hypertension",), "a code it names means that alone"
    assert "diabetes" in own.ideas(ICD_10_CM, "E11.8"), "a code it does not name means what it did"
    assert own.ideas(DEMO_CODES, "FUNC") == ("functional-status",), "another system is left alone"


@pytest.mark.parametrize("said", [{"extension": [{"url": REPLACES_URL, "valueBoolean": False}]}, {"replaces": False}])
def test_a_map_that_says_that_it_does_not_replace_adds(tmp_path: Path, said: dict[str, Any]) -> None:
    assert with_demo(tmp_path, a_map(OWN_FUSION, **said)).ideas(CPT, "22630") == ("spine-fusion",)


def test_a_code_longer_than_any_is_not_remembered() -> None:
    words = vocabulary(STANDARD, DEMO_MAPS)
    before = words._remembered.cache_info().currsize
    assert words.ideas(ICD_10_CM, "E11" + "9" * 100_000) == ()
    assert words._remembered.cache_info().currsize == before


@pytest.mark.shared
def test_the_map_of_the_field_with_unmapped_provided_works(shared: Path) -> None:
    maps = concept_maps.load([shared / "field" / "conceptmap-unmapped-provided.json"])
    words = vocabulary(STANDARD, maps)
    assert "diabetes" in words.ideas("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "E11.90")


def test_an_unmatched_code_means_nothing(tmp_path: Path) -> None:
    element = {"code": "XYZ", "target": [{"equivalence": "unmatched"}]}
    maps = loaded(tmp_path, a_map(group=[{"source": "urn:site", "target": LOINC, "element": [element]}]))
    assert vocabulary(STANDARD, maps).ideas("urn:site", "XYZ") == ()


def test_the_demonstration_map_is_fhir_without_descriptors() -> None:
    document = json.loads(concept_maps.DEMO.read_text(encoding="utf-8"))
    ConceptMap.model_validate(document)
    assert "display" not in concept_maps.DEMO.read_text(encoding="utf-8")
    assert "the site's own CPT licence applies" in document["copyright"]


def test_the_demonstration_map_knows_spine_codes_and_functional_status() -> None:
    words = vocabulary(STANDARD, DEMO_MAPS)
    assert words.ideas(CPT, "22633") == ("spine-fusion",)
    assert words.ideas(DEMO_CODES, "FUNC") == ("functional-status",)
    assert words.means_something("functional-status")
    assert not vocabulary(STANDARD, EMPTY).means_something("functional-status")


def test_the_sites_codes_for_an_idea_are_found_for_its_searches() -> None:
    assert (DEMO_CODES, "HB-BEDSIDE") in DEMO_MAPS.codes_for(frozenset({"haemoglobin-lower-rank"}))
