"""The glass-box graph: one ONNX program that gives number, explanation and interval of one or many additive models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models_onnx.training.curves import SLOTS, AdditiveModel, Curve, all_curves, positions
from models_onnx.training.standard_errors import add_standard_errors

OPSET = 18
IR_VERSION = 10  # onnx 1.23 would write 14, which onnxruntime refuses


@dataclass
class Graph:
    """Nodes and constants in the order in which they are added."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, name: str, values: Any, kind: type = np.float64) -> str:
        """A constant tensor of doubles (or of `kind`); returns its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """One node with one output; returns the output's name."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output


@dataclass(frozen=True)
class Tables:
    """Every curve of every model, flattened: which column it reads, and its rows in one table."""

    columns: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    indexed: NDArray[np.float64]
    breaks: NDArray[np.float64]
    first_row: NDArray[np.int64]
    missing_row: NDArray[np.int64]
    pattern_curve: NDArray[np.int64]
    pattern_rows: NDArray[np.int64]
    rows: NDArray[np.float64]  # [R, 5]: left, c3, c2, c1, c0


def tables(models: Sequence[AdditiveModel], features: Sequence[str]) -> Tables:
    """The flattened curves of `models`, reading their inputs by position in `features`."""
    curves = all_curves(models)
    column = {name: position for position, name in enumerate(features)}
    sizes = [len(curve.rows()) for curve in curves]
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pieces = np.array([len(curve.pieces) for curve in curves])
    return Tables(
        columns=np.array([column[curve.input] for curve in curves]),
        low=np.array([curve.low for curve in curves]),
        high=np.array([curve.high for curve in curves]),
        indexed=np.array([float(curve.indexed) for curve in curves]),
        breaks=_breaks(curves),
        first_row=first,
        missing_row=first + pieces,
        pattern_curve=_pattern_curves(models),
        pattern_rows=np.array(
            [size - p - 1 if c.alternative else 0 for c, size, p in zip(curves, sizes, pieces, strict=True)]
        ),
        rows=np.array([(r.left, r.c3, r.c2, r.c1, r.c0) for curve in curves for r in curve.rows()]),
    )


def _pattern_curves(models: Sequence[AdditiveModel]) -> NDArray[np.int64]:
    """For each curve the curve whose missing input selects its alternative; itself where it has none."""
    found = np.arange(len(all_curves(models)))
    for model, (own, joint) in zip(models, positions(models), strict=True):
        place = dict(zip(model.inputs, own, strict=True))
        for position, curve in zip((*own, *joint), (*model.curves, *model.joint), strict=True):
            found[position] = place.get(curve.without or "", position)
    return found


def _breaks(curves: Sequence[Curve]) -> NDArray[np.float64]:
    width = max(1, *(len(curve.breaks) for curve in curves))
    return np.array([[*curve.breaks, *[np.inf] * (width - len(curve.breaks))] for curve in curves])


def _pieces(graph: Graph, table: Tables) -> tuple[str, str]:
    """Nodes that find, for each curve, the clamped number [N, T, 1] and the row of its piece or missing term [N, T]."""
    low = graph.constant("low", table.low)
    x = graph.add("Gather", ["X", graph.constant("columns", table.columns, np.int64)], "x", axis=1)
    missing = graph.add("IsNaN", [x], "missing")
    # A NaN must never reach a comparison.
    seen = graph.add("Where", [missing, low, x], "seen")
    clamped = graph.add("Min", [graph.add("Max", [seen, low], "at_least"), graph.constant("high", table.high)], "value")
    last = graph.constant("last_axis", [-1], np.int64)
    column = graph.add("Unsqueeze", [clamped, last], "value_column")
    reached = graph.add("GreaterOrEqual", [column, graph.constant("breaks", table.breaks)], "reached")
    steps = graph.add("Cast", [reached], "steps", to=TensorProto.INT64)
    step = graph.add("ReduceSum", [steps, last], "step", keepdims=0)
    level = graph.add("Mul", [clamped, graph.constant("indexed", table.indexed)], "level_value")
    level = graph.add("Cast", [level], "level", to=TensorProto.INT64)
    first = graph.add("Add", [graph.constant("first_row", table.first_row, np.int64), step], "step_row")
    row = graph.add("Add", [first, level], "present_row")
    row = graph.add("Where", [missing, graph.constant("missing_row", table.missing_row, np.int64), row], "row")
    if table.pattern_rows.any():
        pattern = graph.constant("pattern_curve", table.pattern_curve, np.int64)
        without = graph.add("Gather", [missing, pattern], "without", axis=1)
        without = graph.add("Cast", [without], "without_number", to=TensorProto.INT64)
        shift = graph.constant("pattern_rows", table.pattern_rows, np.int64)
        row = graph.add("Add", [row, graph.add("Mul", [without, shift], "pattern_shift")], "pattern_row")
    return column, row


def _curve_values(graph: Graph, table: Tables, column: str, row: str) -> tuple[str, str]:
    """Nodes that evaluate each curve's cubic at its number (Horner); also the local coordinate [N, T, 1]."""
    pieces = graph.add("Gather", [graph.constant("pieces", table.rows), row], "piece")
    names = ["left", "c3", "c2", "c1", "c0"]
    graph.nodes.append(helper.make_node("Split", [pieces], names, name="coefficients", axis=-1, num_outputs=5))
    t = graph.add("Sub", [column, "left"], "t")
    value = graph.add("Add", [graph.add("Mul", ["c3", t], "cubic"), "c2"], "horner_2")
    value = graph.add("Add", [graph.add("Mul", [value, t], "quadratic"), "c1"], "horner_1")
    value = graph.add("Add", [graph.add("Mul", [value, t], "linear"), "c0"], "horner_0")
    return graph.add("Squeeze", [value, "last_axis"], "curve_value"), t


def _members(models: Sequence[AdditiveModel]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per model the curves that are summed (padded with the appended zero), and the operation's curve."""
    total = len(all_curves(models))
    members = np.full((len(models), SLOTS), total)
    operation = np.full(len(models), total)
    for m, (model, (own, joint)) in enumerate(zip(models, positions(models), strict=True)):
        for position, name in zip(own, model.inputs, strict=True):
            if name == model.operation:
                operation[m] = position
        summed = [position for position in (*own, *joint) if position != operation[m]]
        members[m, : len(summed)] = summed
    return members, operation


def _sums(graph: Graph, models: Sequence[AdditiveModel], value: str, *, total: str) -> None:
    """Nodes that add each model's curves to its reference; a NaN of one model never reaches another."""
    members, operation = _members(models)
    # `pads` = none before, one zero after, on the axis of the curves.
    pads = graph.constant("pads", [0, 0, 0, 1], np.int64)
    padded = graph.add("Pad", [value, pads, graph.constant("zero", 0.0)], "padded")
    grouped = graph.add("Gather", [padded, graph.constant("members", members, np.int64)], "grouped", axis=1)
    away = graph.add("ReduceSum", [grouped, "last_axis"], "away_from_reference", keepdims=0)
    operations = graph.constant("operations", operation, np.int64)
    of_operation = graph.add("Gather", [padded, operations], "of_operation", axis=1)
    base = graph.constant("base", [model.base for model in models])
    reference = graph.add("Add", [of_operation, base], "reference_logit")
    graph.add("Add", [reference, away], total)


def _contributions(graph: Graph, models: Sequence[AdditiveModel]) -> None:
    """Nodes for the output `contributions`: per input its curve's value and that of the joint curve told with it.

    0 for the operation, which moves the reference instead.
    """
    own, with_it = [], []
    nothing = len(all_curves(models))
    for model, (places, joint) in zip(models, positions(models), strict=True):
        told = {curve.told_as: place for place, curve in zip(joint, model.joint, strict=True)}
        for place, name in zip(places, model.inputs, strict=True):
            own.append(nothing if name == model.operation else place)
            with_it.append(told.get(name, nothing))
    told_places = graph.constant("told", own, np.int64)
    if any(model.joint for model in models):
        graph.add("Gather", ["padded", told_places], "told_alone", axis=1)
        graph.add("Gather", ["padded", graph.constant("told_joint", with_it, np.int64)], "told_with_it", axis=1)
        graph.add("Add", ["told_alone", "told_with_it"], "contributions")
    else:
        graph.add("Gather", ["padded", told_places], "contributions", axis=1)


def _document(graph: Graph, name: str, outputs: Iterable[Any], features: Sequence[str], facts: dict[str, Any]) -> bytes:
    x = helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["N", len(features)])
    body = helper.make_graph(graph.nodes, name, [x], list(outputs), graph.constants)
    model = helper.make_model(
        body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="surgical-risk"
    )
    for key, fact in {"feature_order": list(features), **facts}.items():
        model.metadata_props.add(key=key, value=fact if isinstance(fact, str) else json.dumps(fact))
    onnx.checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised


def _output(name: str, shape: Sequence[str | int]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, list(shape))


def single(model: AdditiveModel) -> bytes:
    """One model's graph: X [N, P] in the order of its inputs; probability [N, 1] and logit (points) [N, 1],
    reference_logit [N, 1], contributions [N, P], and logit_standard_error [N, 1] where the fit gives a covariance.
    """
    graph = _program([model], model.inputs, total="logit" if model.link == "logit" else "points")
    shapes = {"logit": 1, "reference_logit": 1, "contributions": len(model.curves)}
    if model.link == "logit":
        graph.add("Sigmoid", ["logit"], "probability")
        shapes = {"probability": 1, **shapes}
    else:
        shapes = {"points": 1, "reference_logit": 1, "contributions": len(model.curves)}
    if model.factors:
        shapes["logit_standard_error"] = 1
    facts = {"model_id": model.name, "version": model.version, "base_logit": repr(model.base), **model.facts}
    return _document(
        graph, model.name, [_output(name, ["N", size]) for name, size in shapes.items()], model.inputs, facts
    )


def stacked(models: Sequence[AdditiveModel], features: Sequence[str], members: Sequence[dict[str, str]]) -> bytes:
    """All models in one run: X [N, F] in the order of `features`; logit (points where they are points),
    reference_logit and probability [N, M], contributions [N, T] model after model, logit_standard_error [N, S].
    """
    graph = _program(models, features)
    graph.add("Sigmoid", ["logit"], "probability")
    count = len(models)
    outputs = [_output(name, ["N", count]) for name in ("probability", "logit", "reference_logit")]
    outputs.append(_output("contributions", ["N", sum(len(model.curves) for model in models)]))
    fitted = [model for model in models if model.factors]
    if fitted:
        outputs.append(_output("logit_standard_error", ["N", len(fitted)]))
    return _document(graph, "stacked", outputs, features, {"members": list(members)})


def _program(models: Sequence[AdditiveModel], features: Sequence[str], *, total: str = "logit") -> Graph:
    """The nodes that every graph shares; `total` names what the curves add up to."""
    graph = Graph()
    table = tables(models, features)
    column, row = _pieces(graph, table)
    value, t = _curve_values(graph, table, column, row)
    _sums(graph, models, value, total=total)
    _contributions(graph, models)
    if any(model.factors for model in models):
        add_standard_errors(graph, models, row, t)
    return graph
