"""A site's codes mean what its ConceptMap says, and a map that cannot be trusted stops the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap

from fhir_mappings import concept_maps
from fhir_mappings.code_systems import CONCEPT, CPT, LOINC, TEXT
from fhir_mappings.concept_maps import EMPTY, ConceptMapError, vocabulary
from fhir_mappings.value_sets import STANDARD
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


@pytest.mark.parametrize(
    "document",
    [
        a_map(("urn:site", "HGB", "urn:elsewhere", "718-7")),
        a_map(("urn:site", "HGB", CONCEPT, "no-such-idea")),
        a_map(("urn:site", "HGB", LOINC, "718-7"), version=None),
        a_map(("urn:site", "HGB", LOINC, "718-7"), contact=[]),
        a_map(("urn:site", "HGB", LOINC, "718-7"), resourceType="ValueSet"),
        a_map(group=[{"source": "urn:site", "target": LOINC, "element": [
            {"code": "HGB", "target": [{"code": "718-7", "equivalence": "narrower"}]}]}]),
    ],
)  # fmt: skip
def test_a_map_that_cannot_be_trusted_is_refused_by_name(tmp_path: Path, document: dict[str, Any]) -> None:
    with pytest.raises(ConceptMapError, match=r"site\.json"):
        loaded(tmp_path, {key: value for key, value in document.items() if value is not None})


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
