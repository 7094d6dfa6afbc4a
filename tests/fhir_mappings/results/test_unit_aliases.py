"""A site's own texts for units add to what is understood, and are refused where they would change it."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.results import unit_aliases
from fhir_mappings.results.site_rules import SiteRules
from fhir_mappings.terminology.code_systems import LOINC, UCUM
from tests.builders import an_observation, coded, derived

RULES = SiteRules(units=unit_aliases.by_text({"Zellen G/l": "10*9/L", "mg-prozent": "mg/dL"}))


@pytest.mark.parametrize(
    "members",
    [
        {"valueQuantity": {"value": 241, "unit": "Zellen G/l"}},
        {"valueQuantity": {"value": 241, "unit": "ZELLEN  g/L"}},
        {"valueQuantity": {"value": 241, "code": "Zellen G/l", "system": UCUM}},
        {"valueQuantity": {"value": 241, "code": "ZG", "system": "urn:units", "unit": "Zellen G/l"}},
        {"valueString": "241 Zellen G/l"},
        {"code": coded((LOINC, "58410-2")),
         "component": [{"code": coded((LOINC, "777-3")), "valueQuantity": {"value": 241, "unit": "Zellen G/l"}}]},
    ],
)  # fmt: skip
def test_a_text_of_the_sites_is_the_unit_that_it_says(members: dict[str, Any]) -> None:
    result = {**an_observation("777-3", None), **members}
    assert not derived(result)["platelets"].usable
    assert derived(result, rules=RULES)["platelets"].value == 241


def test_a_comparator_and_the_printed_decimals_stay() -> None:
    above = an_observation("2160-0", None, valueQuantity={"value": 2.5, "comparator": ">", "unit": "mg-prozent"})
    assert derived(above, rules=RULES)["creatinine"].comparator == ">"
    one = an_observation("2160-0", None, id="a", valueQuantity={"value": 0.90, "unit": "mg-prozent"})
    other = an_observation("2160-0", 80, "umol/L", id="b")
    assert derived(one, other, rules=RULES)["creatinine"].value == 0.9


@pytest.mark.parametrize(
    ("text", "unit"),
    [("mg/dl", "g/L"), ("Gpt/l", "10*3/uL"), ("MG / DL", "mg/dL"), ("Zellen", "furlong"), ("Zellen", "U/L"), ("", "%"),
     ("x" * 65, "%")],
)  # fmt: skip
def test_an_alias_that_changes_a_unit_or_leads_nowhere_is_refused(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match=r"known already|no UCUM unit|no text"):
        unit_aliases.by_text({text: unit})
