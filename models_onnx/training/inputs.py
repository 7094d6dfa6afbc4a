"""The inputs that models may read: name, kind, unit and categories as the features define them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from models_onnx import data_files
from models_onnx.model_card import ModelInput
from models_onnx.training.curves import Curve

Group = dict[str, Any]


def procedure_groups() -> tuple[Group, ...]:
    """The procedure groups, in the order in which models number them, and how each published model sees them."""
    path = Path(str(files("fhir_mappings.terminology"))) / "procedure_groups.json"
    return tuple(data_files.read_json(path, dict)["groups"])


def procedure_attribute(group: str, attribute: str) -> str | None:
    """What a published model calls an operation (procedure_attributes.json); None where the order does not tell."""
    document = data_files.read_json(Path(__file__).with_name("procedure_attributes.json"), dict)
    found: str | None = document["groups"].get(group, {}).get(attribute)
    return found


def _number(unit: str, low: float, high: float) -> dict[str, Any]:
    return {"kind": "number", "unit": unit, "low": low, "high": high}


def _category(*categories: str) -> dict[str, Any]:
    return {"kind": "category", "unit": "1", "categories": categories}


YES_NO = {"kind": "yes-no", "unit": "1"}
# Units and categories as in the interface's "Names of inputs"; the bounds are those beyond which a published
# equation is not extrapolated, within the hard limits of the features.
INPUTS: dict[str, dict[str, Any]] = {
    "age": _number("years", 18, 120),
    "sex": _category("female", "male"),
    "bmi": _number("kg/m2", 8, 120),
    "asa_class": _number("1", 1, 5),
    "functional_status": _category("independent", "partially-dependent", "totally-dependent"),
    "creatinine": _number("mg/dL", 0.1, 30),
    "haemoglobin": _number("g/dL", 2, 25),
    "spo2": _number("%", 40, 100),
    "smoking_status": _category("never", "former", "current"),
    "sepsis": _category("none", "sirs", "sepsis", "septic-shock"),
    "urgency": _category("elective", "urgent", "immediate"),
    "procedure_group": _category(*(group["name"] for group in procedure_groups())),
    "diabetes_treatment": _category("none", "without-insulin", "insulin"),
    "planned_duration": _number("h", 0, 24),
    "hfrs_points": _number("1", 0, 173.2),
    # Of the operation itself, known when it is over (fhir_mappings/during/apgar_inputs.py).
    "blood_loss": _number("mL", 0, 100_000),
    "lowest_mean_pressure": _number("mm[Hg]", 0, 300),
    "lowest_heart_rate": _number("/min", 0, 300),
    "charlson_liver_disease": _category("none", "mild", "moderate-or-severe"),
    "charlson_malignancy": _category("none", "malignancy", "metastatic"),
    **dict.fromkeys(
        (
            "diabetes",
            "insulin",
            "heart_failure",
            "ischaemic_heart_disease",
            "cerebrovascular_disease",
            "copd",
            "hypertension_on_medication",
            "cancer",
            "respiratory_infection",
            "nausea_or_motion_sickness_history",
            "postoperative_opioid_planned",
            "charlson_heart_failure",
            "charlson_dementia",
            "charlson_pulmonary_disease",
            "charlson_rheumatic_disease",
            "charlson_complicated_diabetes",
            "charlson_paralysis",
            "charlson_kidney_disease",
            "charlson_hiv",
        ),
        YES_NO,
    ),
}


def model_input(name: str, *, required: bool, why: str, curve: Curve) -> ModelInput:
    """The card's entry for one input; its bounds are those of its curve."""
    entry = INPUTS[name]
    if entry["kind"] == "number":
        entry = {**entry, "low": curve.low, "high": curve.high, "plausible": plausible(name, curve)}
        # How the model uses it: by the side of its cut-points, or each number for itself
        # (models_onnx/inexact_inputs.py).
        entry |= {"continuous": True} if curve.sloping else {"cut_points": curve.breaks}
    return ModelInput(name=name, required=required, why=why, **entry)


# 5th, 25th, 50th, 75th and 95th percentile of the adults in the training data (surgery_timing.py).
PERCENTILES: dict[str, tuple[float, ...]] = {
    "age": (31, 48, 58, 68, 81),
    "bmi": (20.4, 24.6, 28.2, 32.9, 42.5),
}


def plausible(name: str, curve: Curve) -> tuple[float, ...]:
    """What a missing number could be: percentiles where data are at hand, else a number in each step of the curve."""
    if name in PERCENTILES:
        return PERCENTILES[name]
    if name == "asa_class":
        # Nobody of class V, who is not expected to live without the operation, has an elective one (ASA Physical Status
        # Classification System, 2020). One that is recorded is scored as it is.
        return (1, 2, 3, 4)
    return tuple(round(low, 6) for low in (curve.low, *curve.inner))


def encoded(name: str, value: float | bool | str) -> float:
    """The number by which models know `value`: a category's position, 0 or 1, or the number itself."""
    categories = INPUTS[name].get("categories")
    return float(categories.index(value)) if categories else float(value)
