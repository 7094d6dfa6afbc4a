"""What can be drafted has a code that passes its check digit, and is not drafted twice."""

from __future__ import annotations

import msgspec
import pytest

from fhir_mappings.orders import order_catalogue, order_codes, pending_orders
from fhir_mappings.orders.draft_orders import OrderCode
from fhir_mappings.orders.order_catalogue import LOCAL, ORDERABLES, Orderable, is_requested, site_code
from fhir_mappings.orders.order_codes import DEMONSTRATION, OrderCodes
from fhir_mappings.orders.pending_orders import Requested
from fhir_mappings.terminology.value_sets import STANDARD

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
STANDARDLY = [one for one in ORDERABLES.values() if one.system != LOCAL]
CODES = sorted({(one.system, code) for one in STANDARDLY for code in (one.code, *one.equivalents)})

# Verhoeff's dihedral group and permutation, as SNOMED CT uses them for the last digit of an identifier.
_D = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
      [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
      [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
      [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]]  # fmt: skip
_P = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
      [8, 9, 1, 6, 0, 4, 3, 5, 2, 7], [9, 4, 5, 3, 1, 2, 6, 8, 7, 0], [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
      [2, 7, 9, 3, 8, 0, 6, 4, 1, 5], [7, 0, 4, 6, 9, 1, 3, 2, 5, 8]]  # fmt: skip


def passes_verhoeff(code: str) -> bool:
    check = 0
    for position, digit in enumerate(reversed(code)):
        check = _D[check][_P[position % 8][int(digit)]]
    return check == 0


def passes_mod_10(code: str) -> bool:
    number, check = code.split("-")
    doubled = "".join(str(2 * int(d)) if i % 2 == 0 else d for i, d in enumerate(reversed(number)))
    return (10 - sum(int(d) for d in doubled) % 10) % 10 == int(check)


def test_the_check_digits_are_checked_rightly() -> None:
    assert passes_verhoeff("306118006")
    assert not passes_verhoeff("183519001")  # a wrong "referral to cardiology" found in public code
    assert passes_mod_10("4548-4")
    assert not passes_mod_10("4548-5")


@pytest.mark.parametrize(("system", "code"), CODES)
def test_every_code_passes_its_check_digit(system: str, code: str) -> None:
    assert passes_verhoeff(code) if system == SNOMED else passes_mod_10(code)


def test_names_and_codes_stand_for_one_thing_each() -> None:
    assert len({one.code for one in ORDERABLES.values()}) == len(ORDERABLES)
    assert all(one.trust in ("V", "k") for one in STANDARDLY)
    assert all(one.trust == "local" for one in ORDERABLES.values() if one.system == LOCAL)


def test_the_code_that_means_something_else_is_not_used() -> None:
    """183516009 passes its check digit, and is a referral to a general medical service (CMS eCQM value sets)."""
    assert "183516009" not in {code for _, code in CODES}


def test_every_idea_is_a_value_set() -> None:
    assert {idea for one in ORDERABLES.values() for idea in one.ideas} <= set(STANDARD.by_id)


def test_no_snomed_term_is_shipped() -> None:
    assert all(one.display is None for one in ORDERABLES.values() if one.system == SNOMED)


def test_the_demonstration_has_a_code_for_each_that_has_a_standard_one() -> None:
    codes = order_codes.load([DEMONSTRATION])
    assert all((site_code(one.name, codes) is not None) == (one.system != LOCAL) for one in ORDERABLES.values())


def test_a_site_orders_by_its_own_code_what_has_no_standard_one() -> None:
    codes = OrderCodes({(LOCAL, "anaemia-clinic-referral"): OrderCode("urn:site", "REF7")})
    assert site_code("anaemia-clinic-referral", codes) == OrderCode("urn:site", "REF7")


@pytest.mark.parametrize(
    ("name", "idea"), [("full-blood-count", "haemoglobin"), ("basic-metabolic-panel", "creatinine")]
)
def test_part_of_a_panel_that_is_ordered_counts_for_the_panel(name: str, idea: str) -> None:
    assert is_requested(name, Requested(ideas=frozenset({idea})), OrderCodes())


def test_without_a_map_there_is_no_code_to_order_by() -> None:
    assert site_code("hba1c", OrderCodes()) is None


@pytest.mark.parametrize("code", ["4548-4", "17856-6"])
def test_a_draft_of_the_same_test_counts_as_requested(code: str) -> None:
    assert is_requested("hba1c", Requested(frozenset({(LOINC, code)})), OrderCodes())


def test_a_draft_in_the_code_of_the_site_counts_as_requested() -> None:
    codes = OrderCodes({(LOINC, "4548-4"): OrderCode("urn:site", "LAB90")})
    assert is_requested("hba1c", Requested(frozenset({("urn:site", "LAB90")})), codes)
    assert not is_requested("hba1c", pending_orders.NOTHING, codes)


def test_an_unknown_member_of_the_file_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": "a", "text": "a", "system": "s", "code": "c", "trust": "V", "more": 1}, Orderable)
    assert order_catalogue.load() == ORDERABLES
