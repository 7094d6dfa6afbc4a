"""The glass-box graph: one ONNX program that gives number, explanation and interval of one or many additive models.

A tree ensemble finds every curve's piece; what is left are a few cubics, the sums, and the intervals. Few nodes,
for each costs about as much as all the arithmetic for one person.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models_onnx.training.curves import AdditiveModel, Shape, own_curve
from models_onnx.training.standard_errors import POWERS, StandardErrors, add_standard_errors, standard_errors
from models_onnx.training.trees import Node, coefficient_trees, constant, ensemble, polynomial, value_tree

OPSET, ML_OPSET = 18, 5
IR_VERSION = 10  # onnx 1.23 would write 14, which onnxruntime refuses
# Slots over which the graph sums a model's reference and contributions. One width for all graphs, single or
# stacked, so that both add the same numbers in the same order and agree to the last bit.
SLOTS = 12


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


@dataclass
class Layout:
    """Which tree gives which number, and the places of each model's numbers in `values`.

    `values` are the numbers of the `constants` (zero first, then references and constant curves) and after them
    the four summands of each cubic. `terms` [model][input] holds the places that add up to a contribution.
    """

    constants: list[Node]
    references: list[int] = field(default_factory=list)
    terms: list[list[list[int]]] = field(default_factory=list)
    cubics: list[Shape] = field(default_factory=list)


def layout(models: Sequence[AdditiveModel]) -> Layout:
    """The trees of `models`: zero, each model's reference, each constant shape; and what is left, the cubics."""
    found = Layout([constant(models[0].inputs[0], 0.0)])
    for model in models:
        operation = [shape for shape in model.shapes if own_curve(shape).input == model.operation]
        base = constant(model.inputs[0], model.base)
        found.references.append(len(found.constants))
        found.constants.append(value_tree(operation[0], base=model.base) if operation else base)
    fixed = len(found.constants) + sum(
        own_curve(shape).input != model.operation and not polynomial(shape)
        for model in models
        for shape in model.shapes
    )
    for model in models:
        found.terms.append([])
        for shape in model.shapes:
            if own_curve(shape).input == model.operation:
                found.terms[-1].append([])
            elif polynomial(shape):
                first = fixed + POWERS * len(found.cubics)
                found.terms[-1].append(list(range(first, first + POWERS)))
                found.cubics.append(shape)
            else:
                found.terms[-1].append([len(found.constants)])
                found.constants.append(value_tree(shape))
    return found


def _found(graph: Graph, plan: Layout, errors: StandardErrors, features: Sequence[str]) -> None:
    """The tree ensemble, its numbers split into `constants`, `left` and `coefficients` of the cubics, and `rows`."""
    pairs = [coefficient_trees(shape) for shape in plan.cubics]
    parts = {
        "constants": plan.constants,
        "left": [tree for lefts, _ in pairs for tree in lefts],
        "coefficients": [tree for _, coefficients in pairs for tree in coefficients],
        "rows": errors.trees,
    }
    used = {name: trees for name, trees in parts.items() if trees}
    if len(used) == 1:
        graph.nodes.append(ensemble(plan.constants, features, output="constants"))
        return
    graph.nodes.append(ensemble([tree for trees in used.values() for tree in trees], features, output="found"))
    sizes = graph.constant("sizes", [len(trees) for trees in used.values()], np.int64)
    graph.nodes.append(helper.make_node("Split", ["found", sizes], list(used), name="split", axis=1))


def _cubics(graph: Graph, plan: Layout, features: Sequence[str]) -> None:
    """Nodes for `powers` [N, 4P] of the numbers from the left end of their pieces, and `values`, cubics included."""
    curves = [own_curve(shape) for shape in plan.cubics for _ in range(POWERS)]
    columns = graph.constant("columns", [features.index(curve.input) for curve in curves], np.int64)
    x = graph.add("Gather", ["X", columns], "x", axis=1)
    # A missing number must not reach the arithmetic: 0 · NaN is NaN.
    low = graph.constant("low", [curve.low for curve in curves])
    seen = graph.add("Where", [graph.add("IsNaN", [x], "missing"), low, x], "seen")
    exponents = graph.constant("exponents", np.tile([3.0, 2.0, 1.0, 0.0], len(plan.cubics)))
    powers = graph.add("Pow", [graph.add("Sub", [seen, "left"], "t"), exponents], "powers")
    summands = graph.add("Mul", ["coefficients", powers], "summands")
    graph.add("Concat", ["constants", summands], "values", axis=1)


def _sums(graph: Graph, plan: Layout) -> None:
    """Nodes for `sums` [N, M + P]: each model's logit, each cubic's contribution.

    A NaN of one model never reaches another.
    """
    values = "values" if plan.cubics else "constants"
    models = zip(plan.references, plan.terms, strict=True)
    rows = [[reference, *(place for places in terms for place in places)] for reference, terms in models]
    rows += [places for terms in plan.terms for places in terms if len(places) == POWERS]
    width = max(SLOTS, *map(len, rows))  # wider for a site's own model of many numbers, which stands in no stack
    members = np.array([[*row, *[0] * (width - len(row))] for row in rows])
    grouped = graph.add("Gather", [values, graph.constant("members", members, np.int64)], "grouped", axis=1)
    graph.add("ReduceSum", [grouped, graph.constant("slots", [2], np.int64)], "sums", keepdims=0)


def _program(models: Sequence[AdditiveModel], features: Sequence[str]) -> Graph:
    """The nodes that every graph shares."""
    graph = Graph()
    plan = layout(models)
    errors = standard_errors(models, plan.cubics)
    _found(graph, plan, errors, features)
    if plan.cubics:
        _cubics(graph, plan, features)
    _sums(graph, plan)
    if errors.trees:
        add_standard_errors(graph, errors)
    return graph


def single(model: AdditiveModel) -> bytes:
    """One model's graph: X [N, P] in the order of its inputs; probability [N, 1] and logit (points) [N, 1],
    reference_logit [N, 1], contributions [N, P], and logit_standard_error [N, 1] where the fit gives a covariance.
    """
    graph = _program([model], model.inputs)
    graph.add("Concat", ["sums", "constants"], "told", axis=1)
    place = places([model])[0]
    total = "logit" if model.link == "logit" else "points"
    told = {total: [place["logit"]], "reference_logit": [place["reference"]], "contributions": place["contributions"]}
    widths = {name: len(numbers) for name, numbers in told.items()}
    for name, numbers in told.items():
        graph.add("Gather", ["told", graph.constant(f"{name}_places", numbers, np.int64)], name, axis=1)
    if model.link == "logit":
        graph.add("Sigmoid", ["logit"], "probability")
        widths = {"probability": 1, **widths}
    if model.gradients:
        widths["logit_standard_error"] = 1
    facts = {"model_id": model.name, "version": model.version, "base_logit": repr(model.base), **model.facts}
    outputs = [_output(name, width) for name, width in widths.items()]
    return _document(graph, model.name, outputs, model.inputs, facts)


def stacked(models: Sequence[AdditiveModel], features: Sequence[str], members: Sequence[dict[str, Any]]) -> bytes:
    """All models in one run: X [N, F] in the order of `features`, one output `numbers`, for each output costs a copy.

    Where each model's numbers lie in it: `places`.
    """
    graph = _program(models, features)
    parts = ["sums", "constants", graph.add("Sigmoid", ["sums"], "probabilities")]
    if any(model.gradients for model in models):
        parts.append("logit_standard_error")
    graph.add("Concat", parts, "numbers", axis=1)
    return _document(graph, "stacked", [_output("numbers", None)], features, {"members": list(members)})


def places(models: Sequence[AdditiveModel]) -> list[dict[str, Any]]:
    """Per model where its logit (or points), reference, contributions, probability and standard error are in
    `numbers`: sums, constants, the sums' probabilities, standard errors.
    """
    plan = layout(models)
    sums = len(models) + len(plan.cubics)
    cubics = itertools.count(len(models))
    first_error = 2 * sums + len(plan.constants)
    errors = itertools.count(first_error)
    return [
        {
            "logit": number,
            "reference": sums + reference,
            "contributions": [_place(term, sums, cubics) for term in terms],
            "probability": sums + len(plan.constants) + number,
            "standard_error": next(errors) if model.gradients else None,
        }
        for number, (model, reference, terms) in enumerate(zip(models, plan.references, plan.terms, strict=True))
    ]


def _place(term: Sequence[int], sums: int, cubics: Iterator[int]) -> int:
    if len(term) == POWERS:
        return next(cubics)
    # The operation's contribution is 0, the first constant: it moves the reference instead.
    return sums + (term[0] if term else 0)


def _document(graph: Graph, name: str, outputs: Iterable[Any], features: Sequence[str], facts: dict[str, Any]) -> bytes:
    x = helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["N", len(features)])
    body = helper.make_graph(graph.nodes, name, [x], list(outputs), graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(body, opset_imports=opsets, ir_version=IR_VERSION, producer_name="surgical-risk")
    for key, fact in {"feature_order": list(features), **facts}.items():
        model.metadata_props.add(key=key, value=fact if isinstance(fact, str) else json.dumps(fact))
    onnx.checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString(deterministic=True)
    return serialised


def _output(name: str, width: int | None) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["N", width])
