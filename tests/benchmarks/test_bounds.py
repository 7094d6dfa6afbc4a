"""No bound of a benchmark stands so near to what was measured that a busy machine fails it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.benchmarks import bounds
from tests.benchmarks.bounds import Bound

BOUNDS = {name: one for name, one in vars(bounds).items() if isinstance(one, Bound)}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_stands_a_quarter_from_the_worst_that_was_measured(name: str) -> None:
    assert BOUNDS[name].margin >= bounds.MARGIN


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_refuses_what_is_worse(name: str) -> None:
    bound = BOUNDS[name]
    assert bound.holds(bound.worst)
    assert not bound.holds(bound.held * (0.99 if bound.least else 1.01))


def test_every_bound_is_of_a_benchmark() -> None:
    written = {path: path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")}
    named = {
        node.attr
        for text in written.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "bounds"
    }
    assert set(BOUNDS) <= named
