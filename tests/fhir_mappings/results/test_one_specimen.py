"""Two results of one specimen, in two units or under two codes, agree within what was printed (inputs 1.3 step 4)."""

from __future__ import annotations

import pytest

from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import a_quantity, an_observation, coded, derived

ONE_SPECIMEN = [
    # name, codes, numbers as printed with their units, and whether they agree (inputs 1.3 step 4)
    ("creatinine", ("2160-0", "14682-9"), (0.9, "mg/dL"), (80, "umol/L"), True),
    ("creatinine", ("2160-0", "14682-9"), (0.90, "mg/dL"), (76, "umol/L"), True),  # 0.8595: within 0.05
    ("creatinine", ("2160-0", "14682-9"), (0.9, "mg/dL"), (75, "umol/L"), False),  # 0.8482
    ("creatinine", ("2160-0", "14682-9"), (80.0, "umol/L"), (80.5, "umol/L"), False),  # 80.0 is not 80
    ("creatinine", ("2160-0", "14682-9"), (80, "umol/L"), (80.5, "umol/L"), True),
    ("hba1c", ("4548-4", "59261-8"), (6.5, "%"), (48, "mmol/mol"), True),
    ("hba1c", ("4548-4", "59261-8"), (6.5, "%"), (49, "mmol/mol{Hb}"), False),  # 6.635
    ("haemoglobin", ("718-7", "59260-0"), (10.9, "g/dL"), (6.8, "mmol/L"), True),  # 10.95
    ("platelets", ("777-3", "26515-7"), (241, "10*3/uL"), (24, "10*4/uL"), True),
]


@pytest.mark.parametrize(("name", "codes", "one", "other", "agree"), ONE_SPECIMEN)
@pytest.mark.parametrize("shape", ["valueQuantity", "component", "valueString"])
def test_two_results_of_one_specimen_agree_within_what_was_printed(
    shape: str, name: str, codes: tuple[str, str], one: tuple[float, str], other: tuple[float, str], agree: bool
) -> None:
    results = []
    for code, (number, unit) in zip(codes, (one, other), strict=True):
        value = {"valueString": f"{number} {unit}"} if shape == "valueString" else {}
        value = value or {"valueQuantity": a_quantity(number, unit)}
        if shape == "component":
            value = {"component": [{"code": coded((LOINC, code)), **value}]}
        panel = "24323-8" if shape == "component" else code
        results.append(an_observation(panel, None, **{"id": f"o-{code}", **value}))
    for order in (results, results[::-1]):
        found = derived(*order)[name]
        assert (found.status == "conflicting", found.usable) == (not agree, agree)
        if agree:
            assert found.source == f"Observation/{min(f'o-{code}' for code in codes)}"
