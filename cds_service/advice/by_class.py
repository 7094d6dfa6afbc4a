"""Where the ASA class is not known: what each told model says for each class, which is what its range consists of.

Class V, who is not expected to live without the operation, is no class of somebody before an elective one, and no range
that is told holds it (models_onnx/training/inputs.py, `plausible`).
Source: ASA Physical Status Classification System, American Society of Anesthesiologists, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.advice import by_value
from cds_service.advice.by_value import Figures, Version
from fhir_mappings.results.feature import Features
from models_onnx.open_inputs import Open
from models_onnx.recalibration import Recalibration
from models_onnx.registry import Registry

INPUT = "asa_class"
CLASSES = ("I", "II", "III", "IV")
GRADES = tuple(float(grade) for grade in range(1, len(CLASSES) + 1))


def figures(features: Features, opened: Open, *, models: Registry, by: Mapping[Version, Recalibration]) -> Figures:
    """By model and version one range for each class; nothing where the class is known, or with it no figure."""
    if features[INPUT].usable or features["age"].model_value is None:
        return {}
    return by_value.figures(INPUT, GRADES, features, opened, models=models, by=by)
