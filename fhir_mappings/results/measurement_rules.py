"""What each measurement accepts: units with their factors, window, limits and cut-points, as a table.

Source of every row: inputs 1.4, 1.5 and 2; molar factors under their own sources below.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from fhir_mappings.terminology.units import SAME, Conversion, commensurable

# Molar mass of creatinine 113.12 g/mol: 1 mg/dL = 88.42 umol/L. https://pubchem.ncbi.nlm.nih.gov/compound/588
CREATININE_UMOL_L = Conversion(1 / 88.42)
# Haemoglobin monomer, 16.114 kDa: 1 mmol/L = 1.611 g/dL. Source: IFCC/ICSH, doi:10.1515/CCLM.1998.122
HAEMOGLOBIN_MMOL_L = Conversion(1.611)
# Molar mass of glucose 180.156 g/mol: 1 mmol/L = 18.016 mg/dL. https://pubchem.ncbi.nlm.nih.gov/compound/5793
GLUCOSE_MMOL_L = Conversion(18.016)
# IFCC to NGSP master equation. Source: Hoelzel W et al. Clin Chem 2004;50:166-174, doi:10.1373/clinchem.2003.024802
HBA1C_MMOL_MOL = Conversion(0.09148, 2.152)


class CutPoint(Struct, frozen=True, gc=False):
    """A published limit. `belongs`: on which side the limit itself lies ("> 1.5" leaves 1.5 below).

    `elsewhere`: the same limit as published in units of another dimension, with the decimals shown there, to which a
    recorded number is rounded first. `scored`: a model or stage uses it; else only a suggestion does.
    """

    value: float
    belongs: Literal["below", "above"]
    elsewhere: dict[str, tuple[float, int]] = {}
    scored: bool = True


class AssumedUnit(Struct, frozen=True, gc=False):
    """A unit in which a laboratory number without unit may be read, if it lies in this soft range (messy case 13)."""

    unit: str
    low: float
    high: float


class MeasurementRule(Struct, frozen=True, kw_only=True):
    """All that is known of one measurement: the one row by which it is found, asked for, read and told.

    Limits are in the canonical `unit`. `source`: what the catalogue tells where it is not just the latest result of its
    value set; `decimals`: to how many it is told (what is computed or converted has more than anybody measured).
    """

    name: str
    label: str
    unit: str
    units: dict[str, Conversion]
    lookback_days: int
    hard: tuple[float, float]
    soft: tuple[float, float]
    laboratory: bool = True
    assumed: tuple[AssumedUnit, ...] = ()
    unitless: bool = False
    cut_points: tuple[CutPoint, ...] = ()
    whole_number: bool = False
    source: str = ""
    decimals: int = 2

    @property
    def idea(self) -> str:
        """The name of its value set."""
        return self.name.replace("_", "-")


_MASS = commensurable("g/dL")
_MASS_MG = commensurable("mg/dL")

RULES: dict[str, MeasurementRule] = {
    rule.name: rule
    for rule in (
        MeasurementRule(
            name="creatinine",
            label="creatinine",
            unit="mg/dL",
            units={**_MASS_MG, **commensurable("umol/L", CREATININE_UMOL_L)},
            lookback_days=90,
            hard=(0.1, 30),
            soft=(0.3, 15),
            assumed=(AssumedUnit("mg/dL", 0.3, 15), AssumedUnit("umol/L", 26.5, 1326)),
            cut_points=(
                CutPoint(1.5, "below", {"umol/L": (133.0, 1)}),
                CutPoint(2.0, "below", {"umol/L": (176.8, 1)}),
            ),
        ),
        MeasurementRule(
            name="egfr",
            label="eGFR",
            unit="mL/min/{1.73_m2}",
            units={"mL/min/{1.73_m2}": SAME},
            lookback_days=90,
            hard=(1, 250),
            soft=(3, 180),
            cut_points=tuple(CutPoint(limit, "above") for limit in (60, 45, 30, 15)),
            source="CKD-EPI 2021 from creatinine, age and sex; else Observation 98979-8",
            decimals=1,
        ),
        MeasurementRule(
            name="haemoglobin",
            label="haemoglobin",
            unit="g/dL",
            units={**_MASS, **commensurable("mmol/L", HAEMOGLOBIN_MMOL_L)},
            lookback_days=90,
            hard=(2, 25),
            soft=(5, 20),
            assumed=(AssumedUnit("g/dL", 5, 20), AssumedUnit("g/L", 50, 200)),
            cut_points=(
                CutPoint(10, "below", {"mmol/L": (6.2, 1)}),
                CutPoint(13, "above", {"mmol/L": (8.1, 1)}, scored=False),
            ),
        ),
        MeasurementRule(
            name="albumin",
            label="albumin",
            unit="g/dL",
            units=_MASS,
            lookback_days=90,
            hard=(0.5, 7),
            soft=(1.5, 5.5),
            assumed=(AssumedUnit("g/dL", 1.5, 5.5), AssumedUnit("g/L", 15, 55)),
            cut_points=(CutPoint(3.5, "above", scored=False),),
        ),
        MeasurementRule(
            name="platelets",
            label="platelets",
            unit="10*3/uL",
            units=commensurable("10*3/uL"),
            lookback_days=90,
            hard=(1, 3000),
            soft=(20, 1000),
            assumed=(AssumedUnit("10*3/uL", 20, 1000),),
        ),
        MeasurementRule(
            name="inr",
            label="INR",
            unit="{INR}",
            units={"{INR}": SAME, "1": SAME, "{ratio}": SAME},
            lookback_days=90,
            hard=(0.5, 20),
            soft=(0.8, 5),
            unitless=True,
        ),
        MeasurementRule(
            name="sodium",
            label="sodium",
            unit="mmol/L",
            # One equivalent of sodium is one mole: UCUM defines eq so.
            units={**commensurable("mmol/L"), **commensurable("meq/L")},
            lookback_days=90,
            hard=(90, 200),
            soft=(115, 165),
            assumed=(AssumedUnit("mmol/L", 115, 165),),
        ),
        MeasurementRule(
            name="glucose",
            label="glucose",
            unit="mg/dL",
            units={**_MASS_MG, **commensurable("mmol/L", GLUCOSE_MMOL_L)},
            lookback_days=30,
            hard=(10, 2000),
            soft=(40, 600),
            assumed=(AssumedUnit("mg/dL", 40, 600), AssumedUnit("mmol/L", 2.2, 33.3)),
            cut_points=(CutPoint(140, "below", {"mmol/L": (7.8, 1)}, scored=False),),
            decimals=1,
        ),
        MeasurementRule(
            name="hba1c",
            label="HbA1c",
            unit="%",
            units={"%": SAME, **commensurable("mmol/mol", HBA1C_MMOL_MOL)},
            lookback_days=90,
            hard=(2, 25),
            soft=(4, 15),
            assumed=(AssumedUnit("%", 4, 15), AssumedUnit("mmol/mol", 20, 140)),
            cut_points=(
                CutPoint(8.0, "above", {"mmol/mol": (64, 0)}, scored=False),
                CutPoint(7.5, "below", {"mmol/mol": (58, 0)}, scored=False),
            ),
        ),
        MeasurementRule(
            name="height",
            label="height",
            unit="cm",
            units=commensurable("cm"),
            lookback_days=1826,
            hard=(100, 250),
            soft=(130, 210),
            laboratory=False,
        ),
        MeasurementRule(
            name="weight",
            label="weight",
            unit="kg",
            units=commensurable("kg"),
            lookback_days=180,
            hard=(20, 400),
            soft=(35, 250),
            laboratory=False,
        ),
        MeasurementRule(
            name="bmi",
            label="body mass index",
            unit="kg/m2",
            units=commensurable("kg/m2"),
            lookback_days=180,
            hard=(8, 120),
            soft=(14, 70),
            laboratory=False,
            source="Observation 39156-5, or weight / height squared",
            decimals=1,
        ),
        MeasurementRule(
            name="spo2",
            label="oxygen saturation on room air",
            unit="%",
            units={"%": SAME},
            lookback_days=30,
            hard=(40, 100),
            soft=(80, 100),
            laboratory=False,
            # ARISCAT compares whole per cent, half up: 95.5 counts as 96, 90.5 as 91 (inputs 1.5).
            cut_points=(CutPoint(95.5, "above"), CutPoint(90.5, "above")),
            whole_number=True,
        ),
    )
}
