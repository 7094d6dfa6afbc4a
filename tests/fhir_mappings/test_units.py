"""Units as hospitals write them are read as UCUM; factors are those of the UCUM library."""

from __future__ import annotations

import json

import pytest

from fhir_mappings import unit_factors
from fhir_mappings.code_systems import UCUM
from fhir_mappings.measurement_rules import RULES
from fhir_mappings.units import OTHER_UNITS, ucum, unit_of


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("gm/dl", "g/dL"),
        ("G/DL", "g/dL"),
        ("mg%", "mg/dL"),
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("mcmol/L", "umol/L"),
        ("micromol/L", "umol/L"),
        ("mmol/mol", "mmol/mol"),
        ("K/uL", "10*3/uL"),
        ("x10^3/uL", "10*3/uL"),
        ("10e3/uL", "10*3/uL"),
        ("10**9/L", "10*9/L"),
        ("X 10*3/MM3", "10*3/mm3"),
        ("thou/mcL", "10*3/uL"),
        ("lbs", "[lb_av]"),
        ("in_i", "[in_i]"),
        ("Inches", "[in_i]"),
        ("percent", "%"),
        ("mL/min/{1.73_m2}", "mL/min/{1.73_m2}"),
        ("mL/min/1.73 m^2", "mL/min/{1.73_m2}"),
        ("ml/min/1.73m2", "mL/min/{1.73_m2}"),
        ("INR", "{INR}"),
        ("ng/mL", "ng/mL"),
        ("mL/min", "mL/min"),
        ("furlongs", ""),
        ("<img onerror>", ""),
    ],
)
def test_a_unit_text_means_one_ucum_unit_or_none(text: str, unit: str) -> None:
    assert ucum(text) == unit


@pytest.mark.parametrize(
    ("code", "system", "text", "expected"),
    [
        ("g/dL", UCUM, "g/L", ("g/dL", True)),  # the code wins, and the difference is known (case 15)
        ("g/dL", UCUM, "gram per decilitre", ("g/dL", False)),
        (None, None, "g/L", ("g/L", False)),
        ("HGB-UNIT", "urn:oid:1.2.3", "g/L", ("g/L", False)),
        ("bogus", UCUM, "g/L", ("", True)),
    ],
)
def test_the_code_wins_over_the_text(code: str, system: str, text: str, expected: tuple[str, bool]) -> None:
    assert unit_of(code, system, text) == expected


def test_the_table_of_factors_is_what_the_ucum_library_says() -> None:
    assert json.loads(unit_factors.PATH.read_text(encoding="utf-8")) == unit_factors.factors()


def test_every_unit_that_is_read_is_a_unit_of_ucum() -> None:
    taken = {unit for rule in RULES.values() for unit in rule.units} | OTHER_UNITS
    assert [unit for unit in sorted(taken) if not unit_factors.is_ucum(unit)] == []


def test_molar_factors_agree_with_molar_masses() -> None:
    """Creatinine C4H7N3O 113.12 g/mol, glucose C6H12O6 180.156 g/mol: within 0.1 % of the factors in use."""
    assert 1 / RULES["creatinine"].units["umol/L"].factor == pytest.approx(10_000 / 113.12, rel=1e-3)
    assert RULES["glucose"].units["mmol/L"].factor == pytest.approx(180.156 / 10, rel=1e-3)
