"""A mutation run: each rule changed a little, one change at a time; tests that still pass do not hold that rule.

`python -m tests.mutants [AREA ...] [--jobs 2]` tells the score and every mutant that survived; docs/testing.md keeps
the last one. A mutant runs in a fork of a process that has the libraries loaded, so that it costs its tests only.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import signal
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 1_200.0  # seconds; the tests of an area as it is
_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# Loaded once, before the forks; nothing of the packages, for a mutant is of these.
_LIBRARIES = ("alembic", "flask", "joserfc", "jwt", "numpy", "onnxruntime", "prometheus_client", "pytest")
_CALLS = {"any": "all", "all": "any", "max": "min", "min": "max"}


class Rules(NamedTuple):
    """Rules of one area: the modules (a part of one by the names of its functions) and the tests that hold them."""

    sources: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]


AREAS = {
    "result selection": Rules(
        {"fhir_mappings/ranking.py": (), "fhir_mappings/clock.py": ()},
        (
            "tests/fhir_mappings/test_ranking.py",
            "tests/fhir_mappings/test_measurements.py",
            "tests/fhir_mappings/test_unread_results.py",
            "tests/fhir_mappings/test_messy_data.py",
            "tests/fhir_mappings/test_diagnoses.py",
        ),
    ),
    "modes": Rules(
        {
            "cds_service/operations/modes.py": (),
            "cds_service/gate.py": (),
            "cds_service/calls.py": ("_outcome", "_computed", "_shown_before"),
        },
        (
            "tests/cds_service/operations/test_modes.py",
            "tests/cds_service/test_gate.py",
            "tests/cds_service/test_calls.py",
            "tests/acceptance/test_silence.py",
        ),
    ),
    "silence": Rules(
        {"cds_service/advice/silence.py": (), "cds_service/speaking.py": ()},
        (
            "tests/cds_service/advice/test_silence.py",
            "tests/cds_service/test_speaking.py",
            "tests/acceptance/test_silence.py",
        ),
    ),
    "understood or not": Rules(
        {"fhir_mappings/understanding.py": (), "fhir_mappings/coverage.py": ()},
        (
            "tests/fhir_mappings/test_understanding.py",
            "tests/fhir_mappings/test_diagnoses.py",
            "tests/fhir_mappings/test_medications.py",
            "tests/fhir_mappings/test_past_procedures.py",
            "tests/fhir_mappings/test_messy_data.py",
            "tests/acceptance/test_not_understood.py",
        ),
    ),
}


class Mutant(NamedTuple):
    """One change of one file."""

    source: str
    line: int
    what: str
    text: str


def mutants(source: str, functions: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """Every small change of a module's rules; annotations, docstrings and messages are left alone."""
    text = (ROOT / source).read_text(encoding="utf-8")
    for number in range(len(list(_places(ast.parse(text), functions)))):
        tree = ast.parse(text)
        node, what = list(_places(tree, functions))[number]
        before = ast.unparse(node)
        _change(node, what)
        ast.fix_missing_locations(tree)
        yield Mutant(source, node.lineno, f"{before} -> {ast.unparse(node)}", ast.unparse(tree))


def _places(tree: ast.Module, functions: tuple[str, ...]) -> Iterator[tuple[ast.expr, str]]:
    """What can be changed, and how, in the order of the file."""
    for node in tree.body:
        if functions and getattr(node, "name", None) not in functions:
            continue
        for part in _rules(node):
            yield from ((part, what) for what in _ways(part))


def _rules(node: ast.AST) -> Iterator[ast.expr]:
    for part in ast.iter_child_nodes(node):
        if isinstance(node, ast.AnnAssign) and part is node.annotation:
            continue
        if isinstance(part, ast.arguments | ast.JoinedStr | ast.Raise) or _is_text(part):
            continue
        if isinstance(part, ast.expr):
            yield part
        yield from _rules(part)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _ways(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPPED:
        yield "comparison"
    elif isinstance(node, ast.BoolOp):
        yield "and, or"
        yield from (f"without {number}" for number in range(len(node.values)))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not"
    elif isinstance(node, ast.IfExp):
        yield "if"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        yield "arithmetic"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        yield "constant"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield "call"


def _change(node: ast.expr, what: str) -> None:
    if isinstance(node, ast.Compare):
        node.ops[0] = _SWAPPED[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp) and what == "and, or":
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
    elif isinstance(node, ast.BoolOp):
        del node.values[int(what.rpartition(" ")[2])]
    elif isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    elif isinstance(node, ast.IfExp):
        node.body, node.orelse = node.orelse, node.body
    elif isinstance(node, ast.BinOp):
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        node.func.id = _CALLS[node.func.id]


def surviving(
    made: list[Mutant | None], tests: tuple[str, ...], *, jobs: int = 1, seconds: float = LONGEST
) -> list[Mutant | None]:
    """Those under which the tests pass all the same, in that time; None stands for the rules as they are written."""
    waiting, running, alive = list(enumerate(made)), dict[int, tuple[int, float]](), list[int]()
    while waiting or running:
        while waiting and len(running) < jobs:
            number, mutant = waiting.pop(0)
            running[_forked(mutant, tests)] = number, time.monotonic() + seconds
        for child, (number, ends) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                alive += [number] if os.waitstatus_to_exitcode(status) == 0 else []
            elif time.monotonic() > ends:
                os.killpg(child, signal.SIGKILL)  # it is reaped in the next round, and counts as killed
        time.sleep(0.05)
    return [made[number] for number in sorted(alive)]


def _forked(mutant: Mutant | None, tests: tuple[str, ...]) -> int:
    child = os.fork()
    if child == 0:
        _run(mutant, tests)
    return child


def _run(mutant: Mutant | None, tests: tuple[str, ...]) -> None:
    """In the child: the module is compiled from the changed text whenever it is imported."""
    os.setpgid(0, 0)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    as_written = SourceFileLoader.get_code

    def changed(self: SourceFileLoader, fullname: str) -> object:
        if mutant is not None and Path(self.path) == ROOT / mutant.source:
            return compile(mutant.text, self.path, "exec")
        return as_written(self, fullname)

    SourceFileLoader.get_code = changed  # type: ignore[assignment,method-assign]
    code = 1
    try:
        import pytest

        code = int(pytest.main(["-x", "-q", "-p", "no:xdist", "--no-header", *tests]))
    finally:
        os._exit(code)


def run(area: str, *, jobs: int) -> tuple[int, list[Mutant]]:
    """How many mutants an area has, and those that survived."""
    rules = AREAS[area]
    since = time.monotonic()
    if not surviving([None], rules.tests):
        raise SystemExit(f"{area}: the tests fail without any change")
    seconds = 60 + 3 * jobs * (time.monotonic() - since)  # a mutant whose tests take longer never ends
    made = [one for source, functions in rules.sources.items() for one in mutants(source, functions)]
    return len(made), [one for one in surviving([*made], rules.tests, jobs=jobs, seconds=seconds) if one is not None]


def main() -> None:
    """The areas that are named, or all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all without one")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = asked.parse_args()
    for library in _LIBRARIES:
        importlib.import_module(library)
    for area in given.areas or AREAS:
        since = time.monotonic()
        count, alive = run(area, jobs=given.jobs)
        print(f"{area}: {count - len(alive)} of {count} killed, {time.monotonic() - since:.0f} s", flush=True)
        for one in alive:
            print(f"  {one.source}:{one.line}: {one.what}", flush=True)


if __name__ == "__main__":
    main()
