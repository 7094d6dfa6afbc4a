"""Curves as decision trees: one ONNX TreeEnsemble finds the piece of every curve, missing inputs included."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from models_onnx.training.curves import ByPresence, Curve, Piece, Shape, curves, leaves

AT_LEAST = 2  # nodes_modes: BRANCH_GTE, the true branch holds numbers at or above the split; NaN takes the false one
SUM, NO_TRANSFORM = 1, 0


@dataclass(frozen=True)
class Split:
    """Numbers of `input` at or above `cut` to one side; others and the missing to the other."""

    input: str
    cut: float
    at_least: Node
    else_: Node


Node = Split | float


def tree(shape: Shape, values: Sequence[float], *, nowhere: float = math.nan) -> Node:
    """The tree that gives for each leaf of `shape` its number among `values`; `nowhere` without a category."""
    if isinstance(shape, Curve):
        *pieces, missing = values
        return _present(shape.input, _chosen(shape.input, shape.cuts, list(pieces)), missing)
    inner: list[Node] = []
    first = 0
    for part in (shape.present, shape.missing) if isinstance(shape, ByPresence) else shape.shapes:
        last = first + len(leaves(part))
        inner.append(tree(part, values[first:last], nowhere=nowhere))
        first = last
    if isinstance(shape, ByPresence):
        return _present(shape.selector, *inner)
    cuts = [float(level) for level in range(1, len(inner))]
    return _present(shape.selector, _chosen(shape.selector, cuts, inner), nowhere)


def constant(input_name: str, value: float) -> Node:
    """A tree that says the same of everybody (ONNX has no tree without a split)."""
    return Split(input_name, -math.inf, value, value)


def polynomial(shape: Shape) -> bool:
    """Whether some curve has slopes."""
    return any(curve.sloping for curve in curves(shape))


def coefficient_trees(shape: Shape) -> tuple[list[Node], list[Node]]:
    """The trees that find the left end of a shape's piece, and its coefficients c3, c2, c1 and c0."""
    pieces: list[Piece] = leaves(shape)
    left, *coefficients = (
        _rooted(shape, tree(shape, [getattr(piece, name) for piece in pieces]))
        for name in ("left", "c3", "c2", "c1", "c0")
    )
    return [left] * len(coefficients), coefficients


def value_tree(shape: Shape, *, base: float = 0.0) -> Node:
    """The tree of a shape whose pieces are constant."""
    return _rooted(shape, tree(shape, [base + piece.c0 for piece in leaves(shape)]))


def row_tree(shape: Shape, rows: Sequence[int]) -> Node:
    """The tree that finds the row of a table for each leaf."""
    return _rooted(shape, tree(shape, [float(row) for row in rows], nowhere=float(rows[0])))


def _rooted(shape: Shape, node: Node) -> Node:
    return node if isinstance(node, Split) else constant(next(curves(shape)).input, node)


def _present(name: str, present: Node, missing: Node) -> Node:
    return present if _same(present, missing) else Split(name, -math.inf, present, missing)


def _chosen(name: str, cuts: Sequence[float], nodes: Sequence[Node]) -> Node:
    """A balanced tree over neighbouring nodes; equal neighbours need no split."""
    if all(_same(node, nodes[0]) for node in nodes):
        return nodes[0]
    middle = len(nodes) // 2
    low, high = _chosen(name, cuts[: middle - 1], nodes[:middle]), _chosen(name, cuts[middle:], nodes[middle:])
    return Split(name, cuts[middle - 1], high, low)


def _same(one: Node, other: Node) -> bool:
    # By text: NaN is a leaf, and it is not equal to itself.
    return one is other or repr(one) == repr(other)


@dataclass
class _Attributes:
    """The attributes of a TreeEnsemble under construction, one list per node or leaf."""

    columns: Mapping[str, int]
    features: list[int] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    branches: list[list[int]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    leaf_targets: list[int] = field(default_factory=list)
    leaf_values: list[float] = field(default_factory=list)

    def add(self, node: Node, target: int) -> tuple[int, int]:
        """Append a node; returns its number and whether it is a leaf."""
        if not isinstance(node, Split):
            self.leaf_targets.append(target)
            self.leaf_values.append(node)
            return len(self.leaf_values) - 1, 1
        number = len(self.features)
        self.features.append(self.columns[node.input])
        self.cuts.append(node.cut)
        self.branches.append([])
        yes, no = self.add(node.at_least, target), self.add(node.else_, target)
        self.branches[number] = [*yes, *no]
        return number, 0


def ensemble(trees: Sequence[Node], features: Sequence[str], *, output: str) -> Any:
    """The ONNX node that reads X [N, F], columns as `features`, and gives each tree's number [N, trees]."""
    made = _Attributes({name: position for position, name in enumerate(features)})
    for target, root in enumerate(trees):
        made.roots.append(made.add(root, target)[0])
    yes, yes_leaf, no, no_leaf = (list(column) for column in zip(*made.branches, strict=True))
    return helper.make_node(
        "TreeEnsemble",
        ["X"],
        [output],
        name=output,
        domain="ai.onnx.ml",
        n_targets=len(trees),
        aggregate_function=SUM,
        post_transform=NO_TRANSFORM,
        tree_roots=made.roots,
        nodes_featureids=made.features,
        nodes_splits=numpy_helper.from_array(np.array(made.cuts), "cuts"),
        nodes_modes=numpy_helper.from_array(np.full(len(made.cuts), AT_LEAST, np.uint8), "modes"),
        nodes_missing_value_tracks_true=[0] * len(made.cuts),
        nodes_truenodeids=yes,
        nodes_trueleafs=yes_leaf,
        nodes_falsenodeids=no,
        nodes_falseleafs=no_leaf,
        leaf_targetids=made.leaf_targets,
        leaf_weights=numpy_helper.from_array(np.array(made.leaf_values), "leaves"),
    )
