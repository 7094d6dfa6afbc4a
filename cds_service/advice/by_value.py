"""What each model says for each value of one category that is not known: what its range consists of, and no what-if."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cds_service.advice import model_inputs
from fhir_mappings.results.feature import Features
from models_onnx import inexact_inputs, recalibrated
from models_onnx.missing_ranges import MissingRange
from models_onnx.open_inputs import Open
from models_onnx.recalibration import Recalibration
from models_onnx.registry import Registry
from models_onnx.score import InputValue, Range

Version = tuple[str, str]
Figures = dict[Version, tuple[Range, ...]]


def figures(
    name: str,
    values: Sequence[InputValue],
    features: Features,
    opened: Open,
    *,
    models: Registry,
    by: Mapping[Version, Recalibration],
) -> Figures:
    """By model and version one range for each value of the input `name`, what else is not known leaves it open.

    Only of models that read the input and have a figure for every value; nothing where it is known.
    """
    if features[name].usable:
        return {}
    rest = msgspec.structs.replace(opened, possible={one: of for one, of in opened.possible.items() if one != name})
    columns = [_column(features, rest, (name, value), models) for value in values]
    everywhere = [version for version in columns[0] if all(version in column for column in columns)]
    return {
        version: tuple([_moved(column[version], by.get(version)) for column in columns])
        for version in everywhere
        if any(entry.name == name for entry in models.card(*version).inputs)
    }


def _column(
    features: Features, opened: Open, assumed: tuple[str, InputValue], models: Registry
) -> dict[Version, MissingRange]:
    """What every probability model says where the input has this value; what else is not known leaves a range."""
    values = {**model_inputs.values(features), assumed[0]: assumed[1]}
    limits = model_inputs.limits(features)
    ranges = {(one.model, one.version): one for one in inexact_inputs.ranges(models, values, limits, opened=opened)}
    found = {}
    for score in models.score(values, limits, opened):
        version, figure = (score.model, score.version), score.probability
        one = ranges.get(version)
        if not score.has_figure or (one is None and figure is None):
            continue
        whole = one.range if one is not None else Range(figure or 0.0, figure or 0.0)
        found[version] = MissingRange(*version, score.outcome, whole, ())
    return found


def _moved(one: MissingRange, by: Recalibration | None) -> Range:
    return one.range if by is None else recalibrated.missing_range(one, by, ()).range
