"""An order whose code is unknown is told by system and code, and by nothing that could be words of a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.orders.procedures import NoProcedure, planned
from fhir_mappings.orders.unmapped_orders import NOT_TOLD, OrderedCode, UnmappedOrder, ordered_code
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CONCEPT, CPT, LOINC, SNOMED_CT
from tests.builders import DEMO_MAPS, PATIENT_ID, an_order, as_json
from tests.fhir_mappings.terminology.test_concept_maps import a_map


def unmapped(*orders: dict[str, Any]) -> tuple[UnmappedOrder, ...]:
    found = planned(as_json(orders), patient_id=PATIENT_ID, maps=DEMO_MAPS)
    return found.unmapped if isinstance(found, NoProcedure) else found[0].unmapped


UNKNOWN = UnmappedOrder((OrderedCode(CPT, "29999"),))


def test_the_silence_about_an_unknown_code_names_it() -> None:
    assert unmapped(an_order((CPT, "29999"))) == (UNKNOWN,)


def test_an_unknown_order_beside_a_known_one_is_named_too() -> None:
    assert unmapped(an_order((CPT, "22633")), an_order((CPT, "29999"))) == (UNKNOWN,)


def test_an_order_that_is_known_or_no_operation_is_not_named() -> None:
    assert unmapped(an_order((CPT, "22633"))) == ()
    assert unmapped(an_order((LOINC, "718-7"))) == ()


def test_an_order_of_words_only_or_that_cannot_be_read_is_named_without_a_code() -> None:
    words = an_order()
    words["code"] = {"text": "Fusion for Mr Smith"}
    broken = {"resourceType": "ServiceRequest", "code": 7}
    assert unmapped(words) == (UnmappedOrder(),)
    assert unmapped(broken) == (UnmappedOrder(unread=True),)


@pytest.mark.parametrize(
    ("system", "code", "told"),
    [
        (f"{SNOMED_CT}/version/20260101", " 123 ", (SNOMED_CT, "123")),
        ("urn:oid:1.2.3", "OP-7.1/a", ("urn:oid:1.2.3", "OP-7.1/a")),
        (None, "LOCAL1", ("", "LOCAL1")),
        ("urn:site", None, ("urn:site", "")),
        ("urn:site", "Smith, John", ("urn:site", NOT_TOLD)),
        ("urn:site", "two words", ("urn:site", NOT_TOLD)),
        ("urn:site", "Müller", ("urn:site", NOT_TOLD)),
        ("urn:site", "A" * 65, ("urn:site", NOT_TOLD)),
        ("urn:site", "A\nB", ("urn:site", NOT_TOLD)),
        ("urn:site", "9" * 1_000_000, ("urn:site", NOT_TOLD)),
        ("https://ehr.example/codes?patient=smith", "A", (NOT_TOLD, "A")),
        ("https://smith@ehr.example/codes", "A", (NOT_TOLD, "A")),
        ("https://ehr.example/codes#smith", "A", (NOT_TOLD, "A")),
        ("Codes of Mr Smith", "A", (NOT_TOLD, "A")),
        ("urn:" + "a" * 200, "A", (NOT_TOLD, "A")),
    ],
)
def test_what_is_no_code_and_no_address_of_a_code_system_is_not_told(
    system: str | None, code: str | None, told: tuple[str, str]
) -> None:
    found = ordered_code(system, code)
    assert (found.system, found.code) == told
    assert len(found.system) <= 120
    assert len(found.code) <= 64


def test_at_most_five_codes_of_an_order_are_told() -> None:
    order = an_order(*(("urn:site", f"C{number}") for number in range(50)))
    assert len(unmapped(order)[0].codes) == 5


def test_what_the_site_says_is_in_none_of_the_groups_is_out_of_scope_and_not_to_be_mapped(tmp_path: Path) -> None:
    nothing = {"code": "EYE", "target": [{"equivalence": "unmatched"}]}
    path = tmp_path / "site.json"
    path.write_text(json.dumps(a_map(group=[{"source": "urn:site", "target": CONCEPT, "element": [nothing]}])))
    maps = concept_maps.load([path])
    found = planned(as_json([an_order(("urn:site", "EYE"))]), patient_id=PATIENT_ID, maps=maps)
    assert found == NoProcedure("out-of-scope")
    other = planned(as_json([an_order(("urn:site", "EAR"))]), patient_id=PATIENT_ID, maps=maps)
    assert other == NoProcedure("unmapped-procedure", (UnmappedOrder((OrderedCode("urn:site", "EAR"),)),))
