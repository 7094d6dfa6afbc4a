"""A decimal comma is read only where the site says that it writes one, and never what could be thousands."""

from __future__ import annotations

import pytest

from fhir_mappings.results.decimal_comma import number_with_point
from fhir_mappings.results.site_rules import SiteRules
from tests.builders import an_observation, coded, derived

COMMA = SiteRules(decimal_comma=True)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7,2 %", "7.2 %"),
        ("> 60,5 mL/min", "> 60.5 mL/min"),
        ("<=0,01", "<=0.01"),
        ("7.2 %", "7.2 %"),
        ("7 %", "7 %"),
        ("see note, 7,2", "see note, 7,2"),
        ("1.234 mg/dL", "ambiguous 1.234 mg/dL"),
        ("1.234,5 mg/dL", "ambiguous 1.234,5 mg/dL"),
        ("1,2,3", "1,2,3"),
        (None, None),
    ],
)
def test_a_number_gets_its_point(written: str | None, read: str | None) -> None:
    assert number_with_point(written) == read


@pytest.mark.parametrize(
    ("text", "rules", "status", "value"),
    [
        ("7,2 %", COMMA, "used", 7.2),
        ("7,2 %", SiteRules(), "rejected", None),
        ("7.2 %", COMMA, "used", 7.2),
        ("1.234 %", COMMA, "rejected", None),
        ("7,2", COMMA, "rejected", None),
    ],
)
def test_a_text_is_a_result_as_the_site_writes_it(
    text: str, rules: SiteRules, status: str, value: float | None
) -> None:
    found = derived(an_observation("4548-4", None, valueString=text), rules=rules)["hba1c"]
    assert (found.status, found.value) == (status, value)
    assert found.reason == (None if value else "non-numeric")


def test_a_component_is_read_alike() -> None:
    part = {"code": coded(("http://loinc.org", "4548-4")), "valueString": "7,2 %"}
    panel = an_observation(coded(("urn:site", "PANEL")), None, component=[part])
    assert derived(panel, rules=COMMA)["hba1c"].value == 7.2
