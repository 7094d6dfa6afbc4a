"""How many codes of which system name an operation is told as it is; a system of orders without any is warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.orders.operation_codes import LABELS, Known, counts_in_words, gaps, known, label
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CONCEPT, CPT, ICD_10_PCS, SNOMED_CT, TEXT
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets
from tests.fhir_mappings.terminology.test_concept_maps import a_map


def counted(maps: ConceptMaps = EMPTY, sets: ValueSets = STANDARD) -> dict[str, Known]:
    return {one.system: one for one in known(sets, maps)}


def a_site(tmp_path: Path, *rows: tuple[str, str, str, str], **members: Any) -> ConceptMaps:
    path = tmp_path / "site.json"
    path.write_text(json.dumps(a_map(*rows, **members)))
    return concept_maps.load([path])


def test_CPT_without_a_map_is_none_and_is_warned_of_in_these_words() -> None:
    assert gaps(known(STANDARD, EMPTY)) == ("CPT: 0 codes; orders in CPT get no answer",)
    assert counts_in_words(known(STANDARD, EMPTY)).startswith("CPT 0, ICD-10-PCS ")


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (CPT, "22612", "CPT"),
        (SNOMED_CT, "1234567890", "SNOMED CT"),
        ("urn:oid:2.16.840.1.113883.6.12", "22612", "CPT"),
        ("urn:site", "FUS", "site's own"),
        (TEXT, "Lumbar fusion", "site's own"),
    ],
)
def test_each_code_that_a_map_adds_counts_for_its_system(tmp_path: Path, system: str, code: str, name: str) -> None:
    before, after = counted(), counted(a_site(tmp_path, (system, code, CONCEPT, "spine-fusion")))
    assert after[name].codes == before[name].codes + 1
    assert {one: after[one] for one in before if one != name} == {one: before[one] for one in before if one != name}


def test_a_map_of_other_things_adds_no_order_code(tmp_path: Path) -> None:
    assert counted(a_site(tmp_path, ("urn:site", "DM", CONCEPT, "diabetes"))) == counted()


def test_a_code_that_a_map_takes_out_is_not_counted(tmp_path: Path) -> None:
    code = next(code for name in STANDARD.by_id for code in STANDARD.codes(name, SNOMED_CT) if name == "spine-fusion")
    nothing = {"code": code, "target": [{"equivalence": "unmatched"}]}
    group = {"source": SNOMED_CT, "target": CONCEPT, "element": [nothing]}
    site = a_site(tmp_path, group=[group], replaces=True)
    assert counted(site)["SNOMED CT"].codes == counted()["SNOMED CT"].codes - 1


def test_every_system_of_orders_without_a_code_is_warned_of() -> None:
    empty = ValueSets(one for name, one in STANDARD.by_id.items() if name not in GROUPS)
    assert [gap.partition(":")[0] for gap in gaps(known(empty, EMPTY))] == ["CPT", "ICD-10-PCS", "SNOMED CT"]


@pytest.mark.parametrize("system", [CPT, ICD_10_PCS, "", "urn:anything", "https://" + "x" * 500, "?"])
def test_what_is_counted_by_is_one_of_a_few_words(system: str) -> None:
    assert label(system) in LABELS
    assert len(LABELS) <= 10
