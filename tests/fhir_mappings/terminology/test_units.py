"""Units as hospitals write them are read as UCUM; factors are those of the UCUM library."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.results.quantities import model_value
from fhir_mappings.terminology import unit_factors, unit_texts
from fhir_mappings.terminology.code_systems import UCUM
from fhir_mappings.terminology.unit_texts import OTHER_UNITS, ucum, unit_of
from fhir_mappings.terminology.units import FACTORS
from tests.builders import measured


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
        # As the world prints them, one origin a line.
        ("kg/m²", "kg/m2"),
        ("kg/m^2", "kg/m2"),
        ("kg/m**2", "kg/m2"),
        ("10⁹/L", "10*9/L"),
        ("x 10⁹/l", "10*9/L"),
        ("10^9/L", "10*9/L"),
        ("x10E9/L", "10*9/L"),
        ("E9/L", "10*9/L"),
        ("10⁹·L⁻¹", "10*9/L"),
        ("g·L⁻¹", "g/L"),
        ("mmol.L-1", "mmol/L"),
        ("Gpt/l", "10*9/L"),
        *((text, "10*9/L") for text in ("Mrd/l", "Mrd./l", "mld/l", "milliards/L", "10x9/L", "E+09/l", "1E+9/L")),
        ("10x3/uL", "10*3/uL"),
        ("G/l", "G/L"),
        ("G/L", "G/L"),
        ("T/L", "10*12/L"),
        ("Tsd/µl", "10*3/uL"),
        ("Tsd./μl", "10*3/uL"),
        ("mil/mmc", "10*3/mm3"),
        ("mil/mm³", "10*3/mm3"),
        ("lakhs/cumm", "10*5/mm3"),
        ("万/µL", "10*4/uL"),
        ("cells/µL", "/uL"),
        ("㎎/㎗", "mg/dL"),
        ("ｍｇ／ｄＬ", "mg/dL"),
        ("g%", "g/dL"),
        ("g/100 ml", "g/dL"),
        ("gr/dL", "g/dL"),
        ("mmol/mol Hb", "mmol/mol"),
        ("% (NGSP)", "%"),
        ("mL/min/1,73m²", "mL/min/{1.73_m2}"),
        ("ml/mn/1,73 m2", "mL/min/{1.73_m2}"),
        ("mL·min⁻¹·1.73m⁻²", "mL/min/{1.73_m2}"),
        # UCUM with annotations and prefixes.
        ("mmol/mol{Hb}", "mmol/mol"),
        ("g/dL{Hb}", "g/dL"),
        ("%{HbA1c}", "%"),
        ("10*9/L{platelets}", "10*9/L"),
        ("{cells}/uL", "/uL"),
        ("10*3.{cells}/uL", "10*3/uL"),
        ("{class}", "1"),
        ("/nL", "/nL"),
        ("10*4/uL", "10*4/uL"),
        ("g/(100.mL)", "g/(100.mL)"),
        ("kg/m3", "kg/m3"),
        # What is another number, or no unit at all.
        ("%{JDS}", ""),
        ("%{IFCC}", ""),
        ("% (IFCC)", ""),
        ("mmol/L{tetramer}", ""),
        ("10*-3/L", ""),
        ("10*9/L" + "{platelets}" * 9, ""),
        ("{", ""),
        ("furlongs", ""),
        ("<img onerror>", ""),
    ],
)
def test_a_unit_text_means_one_ucum_unit_or_none(text: str, unit: str) -> None:
    assert ucum(text) == unit


@pytest.mark.parametrize(
    ("code", "system", "text", "expected"),
    [
        ("g/dL", UCUM, "g/L", ("g/dL", "g/L")),  # the code wins, and the difference is known (messy case 15)
        ("g/dL", UCUM, "gram per decilitre", ("g/dL", "")),
        (None, None, "g/L", ("g/L", "")),
        ("HGB-UNIT", "urn:oid:1.2.3", "g/L", ("g/L", "")),
        ("bogus", UCUM, "g/L", ("", "g/L")),
    ],
)
def test_the_code_wins_over_the_text(code: str, system: str, text: str, expected: tuple[str, str]) -> None:
    assert unit_of(code, system, text) == expected


def test_no_two_units_of_the_table_differ_in_case_alone() -> None:
    units = [unit for family in FACTORS.values() for unit in family]
    assert len({unit.lower() for unit in units}) == len(units)


def test_a_foreign_text_is_remembered_only_where_it_is_short() -> None:
    before = unit_texts._ucum.cache_info().currsize
    assert ucum("g/dL" + "{Hb}" * 20_000) == ""
    assert unit_texts._ucum.cache_info().currsize == before


@pytest.mark.parametrize(
    ("name", "number", "unit", "value"),
    [
        ("haemoglobin", 10.95, "g/dL{Hb}", 10.95),
        ("haemoglobin", 109, "G/L", 10.9),
        ("haemoglobin", 109, "kg/m3", 10.9),
        ("haemoglobin", 7.0, "mmol/L{Hb}", 11.277),
        ("haemoglobin", 10.9, "g%", 10.9),
        ("platelets", 241, "/nL", 241),
        ("platelets", 241, "G/L", 241),
        ("platelets", 241, "10*9/L{platelets}", 241),
        ("platelets", 24.1, "10*4/uL", 241),
        ("platelets", 241, "10*6/mL", 241),
        ("platelets", 241_000, "/mm3", 241),
        ("platelets", 0.241, "T/L", 241),
        ("creatinine", 0.11, "mmol/L", 1.244),
        ("creatinine", 110, "nmol/mL", 1.244),
        ("creatinine", 12, "ug/mL", 1.2),
        ("creatinine", 12, "mg/L", 1.2),
        ("glucose", 1.05, "g/L", 105),
        ("hba1c", 57, "mmol/mol{Hb}", 7.366),
        ("sodium", 139_000, "ueq/L", 139),
        ("height", 17, "dm", 170),
        ("bmi", 3.01, "g/cm2", 30.1),
    ],
)
def test_every_commensurable_unit_is_taken(name: str, number: float, unit: str, value: float) -> None:
    found = measured(name, number, unit)
    assert (found.usable, found.value) == (True, pytest.approx(value, abs=1e-3))
    assert (found.status == "used") == (found.value == number)


EVERYWHERE = [
    (rule.name, cut, unit)
    for rule in RULES.values()
    for cut in rule.cut_points
    for unit, conversion in rule.units.items()
    if not rule.whole_number and conversion.published in ({rule.unit} | set(cut.elsewhere))
]


def test_a_number_keeps_its_side_of_each_cut_point_in_every_unit() -> None:
    """At the limit, and one step of it below and above, as published in the unit's own dimension (inputs 1.5)."""
    assert len(EVERYWHERE) > 800
    for name, cut, unit in EVERYWHERE:
        rule = RULES[name]
        conversion = rule.units[unit]
        limit, decimals = cut.elsewhere.get(conversion.published, (cut.value, 2))
        step = Decimal(1).scaleb(-decimals)
        for number in (Decimal(repr(limit)) - step, Decimal(repr(limit)), Decimal(repr(limit)) + step):
            recorded = float(number / conversion.scale)
            value = model_value(rule, recorded, unit, conversion.apply(recorded))
            above = value >= cut.value if cut.belongs == "above" else value > cut.value
            is_above = number >= Decimal(repr(limit)) if cut.belongs == "above" else number > Decimal(repr(limit))
            assert above == is_above, (name, recorded, unit)


def test_the_table_of_factors_is_what_the_ucum_library_says() -> None:
    assert json.loads(unit_factors.PATH.read_text(encoding="utf-8")) == unit_factors.factors()
    assert unit_factors.factor("meq/L", "mmol/L") == 1.0


def test_every_unit_that_is_read_is_a_unit_of_ucum() -> None:
    taken = {unit for rule in RULES.values() for unit in rule.units} | OTHER_UNITS
    assert [unit for unit in sorted(taken) if not unit_factors.is_ucum(unit)] == []


def test_molar_factors_agree_with_molar_masses() -> None:
    """Creatinine C4H7N3O 113.12 g/mol, glucose C6H12O6 180.156 g/mol: within 0.1 % of the factors in use."""
    assert 1 / RULES["creatinine"].units["umol/L"].factor == pytest.approx(10_000 / 113.12, rel=1e-3)
    assert RULES["glucose"].units["mmol/L"].factor == pytest.approx(180.156 / 10, rel=1e-3)
