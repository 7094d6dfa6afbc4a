"""The inputs that models may read: name, kind, unit and categories as the features define them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from models_onnx.model_card import ModelInput

Group = dict[str, Any]


def procedure_groups() -> tuple[Group, ...]:
    """The procedure groups, in the order in which models number them, and how each published model sees them."""
    text = files("fhir_mappings").joinpath("procedure_groups.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["groups"])


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
        ),
        YES_NO,
    ),
}


def model_input(name: str, *, required: bool, why: str) -> ModelInput:
    """The card's entry for one input."""
    return ModelInput(name=name, required=required, why=why, **INPUTS[name])


def encoded(name: str, value: float | bool | str) -> float:
    """The number by which models know `value`: a category's position, 0 or 1, or the number itself."""
    categories = INPUTS[name].get("categories")
    return float(categories.index(value)) if categories else float(value)
