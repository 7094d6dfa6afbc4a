"""Every code that is shipped, in whatever file: right check digits, and no text that its licence does not give away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fhir.resources.R4B.conceptmap import ConceptMap

from fhir_mappings.terminology.check_digits import modulus_10, verhoeff
from fhir_mappings.terminology.code_systems import CPT, LOINC, SNOMED_CT

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("fhir_mappings", "cds_service", "models_onnx", "deploy")
DATA = sorted(
    path
    for name in PACKAGES
    for ending in ("json", "yaml", "yml")
    for path in (ROOT / name).rglob(f"*.{ending}")
    if "templates" not in path.parts  # Helm's, which become YAML when they are rendered
)
TEXTS = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")) + DATA
MAPS = sorted((ROOT / "fhir_mappings" / "terminology" / "concept_maps").glob("*.json"))
_OF_SYNTHEA = "synthea-no-idea.json"  # codes under LOINC's URI that are none of LOINC's, and say nothing by it
# Not answers (LA) and parts (LP), which are numbered by another scheme, nor what stands inside a DOI or a URL.
_LOINC_LIKE = re.compile(r"(?<![\w./()-])(\d{4,5}-\d)(?![\w-])")


def codings(value: Any, system: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(system, code, the object) wherever one stands: in a Coding, in a ValueSet's include, in a ConceptMap's group."""
    if isinstance(value, dict):
        own = value.get("system") or system
        if "code" in value and isinstance(value["code"], str | int):
            yield str(own), str(value["code"]), value
        yield from codings(value.get("element", []), value.get("source", own))
        for name, inner in value.items():
            if name not in ("element", "system"):
                yield from codings(inner, value.get("target", own) if name == "target" else own)
    elif isinstance(value, list):
        for inner in value:
            yield from codings(inner, system)


def document(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else list(yaml.safe_load_all(text))


CODINGS = [(path, *found) for path in DATA for found in codings(document(path))]


def test_there_are_codes_of_every_kind_and_the_search_finds_them() -> None:
    systems = [system for _, system, _, _ in CODINGS]
    assert systems.count(SNOMED_CT) > 100
    assert systems.count(LOINC) > 80
    assert systems.count(CPT) > 50
    assert list(codings({"group": [{"source": SNOMED_CT, "element": [{"code": "1"}]}]})) == [
        (SNOMED_CT, "1", {"code": "1"})
    ]


def test_every_snomed_id_that_is_shipped_has_its_check_digit() -> None:
    assert [(str(path), code) for path, system, code, _ in CODINGS if system == SNOMED_CT and not verhoeff(code)] == []


def test_every_loinc_code_that_is_shipped_has_its_check_digit() -> None:
    found = [(path, code) for path, system, code, _ in CODINGS if system == LOINC and path.name != _OF_SYNTHEA]
    numbered = [(path, code) for path, code in found if code[0] != "L"]
    assert [(str(path), code) for path, code in numbered if not modulus_10(code)] == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_loinc_code_in_code_and_words_has_its_check_digit(path: Path) -> None:
    found = set(_LOINC_LIKE.findall(path.read_text(encoding="utf-8")))
    assert [code for code in sorted(found) if not modulus_10(code)] == []


def test_no_term_of_snomed_and_no_descriptor_of_cpt_is_shipped_in_any_file() -> None:
    texts = [
        (str(path), code)
        for path, system, code, value in CODINGS
        if system in (SNOMED_CT, CPT) and {"display", "definition", "designation"} & value.keys()
    ]
    assert texts == []


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_a_concept_map_is_fhir_with_version_approver_and_equivalences(path: Path) -> None:
    content = document(path)
    ConceptMap.model_validate(content)
    assert all(content[member] for member in ("url", "version", "date", "publisher", "name", "description"))
    assert content["contact"][0]["name"]
    targets = [target for group in content["group"] for element in group["element"] for target in element["target"]]
    assert targets
    assert all(target["equivalence"] in ("equivalent", "equal", "wider", "subsumes") for target in targets)
