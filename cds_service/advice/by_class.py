"""Where the ASA class is not known: what each told model says for each class, which is what its range consists of.

Class V, who is not expected to live without the operation, is no class of somebody before an elective one.
Source: ASA Physical Status Classification System, American Society of Anesthesiologists, 2020.
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service import model_inputs
from fhir_mappings.feature import Features
from models_onnx import inexact, recalibrated
from models_onnx.bounds import MissingRange
from models_onnx.open_inputs import Open
from models_onnx.recalibration import Recalibration
from models_onnx.registry import Registry
from models_onnx.score import Range

INPUT = "asa_class"
CLASSES = ("I", "II", "III", "IV")
Version = tuple[str, str]


def figures(
    features: Features, opened: Open, *, models: Registry, by: Mapping[Version, Recalibration]
) -> dict[Version, tuple[Range, ...]]:
    """By model and version one range for each class; nothing where the class is known, or with it no figure."""
    if features[INPUT].usable or features["age"].model_value is None:
        return {}
    columns = [_column(features, opened, grade, models) for grade in range(1, len(CLASSES) + 1)]
    everywhere = [version for version in columns[0] if all(version in column for column in columns)]
    return {
        version: tuple([_moved(column[version], by.get(version)) for column in columns])
        for version in everywhere
        if any(entry.name == INPUT for entry in models.card(*version).inputs)
    }


def _column(features: Features, opened: Open, grade: int, models: Registry) -> dict[Version, MissingRange]:
    """What every probability model says of this class; what else is not known leaves a range."""
    values = {**model_inputs.values(features), INPUT: float(grade)}
    limits = model_inputs.limits(features)
    ranges = {(one.model, one.version): one for one in inexact.ranges(models, values, limits, opened=opened)}
    found = {}
    for score in models.score(values, limits, opened):
        version, figure = (score.model, score.version), score.probability
        one = ranges.get(version)
        if not score.has_figure or (one is None and figure is None):
            continue
        low, high = (one.range.low, one.range.high) if one is not None else (figure or 0.0,) * 2
        whole = Range(low, high) if figure is None else Range(min(low, figure), max(high, figure))
        found[version] = MissingRange(*version, score.outcome, whole, ())
    return found


def _moved(one: MissingRange, by: Recalibration | None) -> Range:
    return one.range if by is None else recalibrated.missing_range(one, by, ()).range
