"""A mutation run: each rule changed a little, one change at a time; tests that still pass do not hold that rule.

`python -m tests.mutants [AREA ...] [--jobs 2]` tells the score and every mutant that survived; docs/testing.md keeps
the last one. A mutant runs in a fork of a process that has collected the tests, so that it costs what they cost.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
_LONGEST = 1_200.0  # seconds; the tests of an area as it is
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
_CALLS = {"any": "all", "all": "any", "max": "min", "min": "max"}


class Rules(NamedTuple):
    """Rules of one area: the modules (a part of one by the names of its functions) and the tests that hold them."""

    sources: dict[str, tuple[str, ...]]
    tests: tuple[str, ...]


AREAS = {
    "result selection": Rules(
        {"fhir_mappings/results/result_selection.py": (), "fhir_mappings/fhir/clock.py": ()},
        (
            "tests/fhir_mappings/fhir/test_clock.py",
            "tests/fhir_mappings/results/test_result_selection.py",
            "tests/fhir_mappings/results/test_measurements.py",
            "tests/fhir_mappings/patient/test_questionnaire_answers.py",
            "tests/fhir_mappings/results/test_unread_results.py",
            "tests/fhir_mappings/test_messy_data.py",
            "tests/fhir_mappings/patient/test_diagnoses.py",
        ),
    ),
    "modes": Rules({"cds_service/answering/modes.py": ()}, ("tests/cds_service/answering/test_modes.py",)),
    "silence": Rules(
        {"cds_service/advice/silence.py": (), "cds_service/tenants/speaking.py": ()},
        (
            "tests/cds_service/advice/test_silence.py",
            "tests/cds_service/tenants/test_speaking.py",
            "tests/acceptance/test_silence.py",
        ),
    ),
    "understood or not": Rules(
        {"fhir_mappings/terminology/understanding.py": (), "fhir_mappings/fhir/coverage.py": ()},
        (
            "tests/fhir_mappings/fhir/test_coverage.py",
            "tests/fhir_mappings/terminology/test_understanding.py",
            "tests/fhir_mappings/patient/test_diagnoses.py",
            "tests/fhir_mappings/patient/test_medications.py",
            "tests/fhir_mappings/patient/test_past_procedures.py",
            "tests/fhir_mappings/test_messy_data.py",
        ),
    ),
}


class Mutant(NamedTuple):
    """One change of one module; `tree` is the whole of it, with the lines that it had."""

    source: str
    line: int
    what: str
    tree: ast.Module


def mutants(source: str, functions: tuple[str, ...] = ()) -> Iterator[Mutant]:
    """Every small change of a module's rules; annotations, defaults, docstrings and messages are left alone."""
    text = (ROOT / source).read_text(encoding="utf-8")
    for number in range(len(list(_places(ast.parse(text), functions)))):
        tree = ast.parse(text)
        node, what = list(_places(tree, functions))[number]
        before = ast.unparse(node)
        _change(node, what)
        yield Mutant(source, node.lineno, f"{before} -> {ast.unparse(node)}", ast.fix_missing_locations(tree))


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
        if isinstance(node, ast.ClassDef) and isinstance(part, ast.keyword | ast.AnnAssign):
            continue  # how a class is declared, and its defaults
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


class Session:
    """A pytest plugin: the tests are collected once, then run for each mutant in a fork of their own."""

    def __init__(self, made: list[Mutant], jobs: int) -> None:
        self.made, self.jobs, self.alive = made, jobs, list[Mutant]()
        self.passes = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of pytest's own loop."""
        since = time.monotonic()
        self.passes = bool(self._surviving([None], session, _LONGEST))
        seconds = 30 + 3 * self.jobs * (time.monotonic() - since)  # a mutant whose tests take longer never ends
        if self.passes:
            self.alive = [one for one in self._surviving([*self.made], session, seconds) if one is not None]
        return True

    def _surviving(self, made: list[Mutant | None], session: pytest.Session, seconds: float) -> list[Mutant | None]:
        """Those under which the tests pass all the same, in that time; None stands for the rules as written."""
        waiting, running, alive = list(enumerate(made)), dict[int, tuple[int, float]](), list[int]()
        while waiting or running:
            while waiting and len(running) < self.jobs:
                number, mutant = waiting.pop(0)
                running[_forked(mutant, session)] = number, time.monotonic() + seconds
            for child, (number, ends) in list(running.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    del running[child]
                    alive += [number] if os.waitstatus_to_exitcode(status) == 0 else []
                elif time.monotonic() > ends:
                    os.killpg(child, signal.SIGKILL)  # it is reaped in the next round, and counts as killed
            time.sleep(0.01)
        return [made[number] for number in sorted(alive)]


def _forked(mutant: Mutant | None, session: pytest.Session) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setpgid(0, 0)
        if mutant is not None:
            _apply(mutant)
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                break
        code = int(session.testsfailed > 0)
    finally:
        os._exit(code)


def _apply(mutant: Mutant) -> None:
    """Give every function of the module its changed code, and every constant its changed value wherever it went."""
    path = str(ROOT / mutant.source)
    codes = dict(_codes(compile(mutant.tree, path, "exec")))
    for function in [one for one in gc.get_objects() if isinstance(one, FunctionType)]:
        if function.__code__.co_filename == path and "<locals>" not in function.__qualname__:
            function.__code__ = codes[function.__code__.co_qualname, function.__code__.co_firstlineno]
    module = importlib.import_module(mutant.source.removesuffix(".py").replace("/", "."))
    changed = [one for one in mutant.tree.body if isinstance(one, ast.Assign | ast.AnnAssign)]
    for statement in changed:
        if statement.lineno <= mutant.line <= (statement.end_lineno or statement.lineno):
            _assign(statement, module, path)


def _assign(statement: ast.Assign | ast.AnnAssign, module: ModuleType, path: str) -> None:
    before = dict(vars(module))
    exec(compile(ast.Module([statement], []), path, "exec"), vars(module))
    for name in [name for name, value in vars(module).items() if before.get(name) is not value]:
        for other in list(sys.modules.values()):
            if other is not module and getattr(other, name, None) is before[name]:
                setattr(other, name, vars(module)[name])


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield (one.co_qualname, one.co_firstlineno), one
            yield from _codes(one)


def run(area: str, *, jobs: int) -> tuple[int, list[Mutant]]:
    """How many mutants an area has, and those that survived."""
    rules = AREAS[area]
    made = [one for source, functions in rules.sources.items() for one in mutants(source, functions)]
    session = Session(made, jobs)
    told, silent = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    try:
        pytest.main(["-x", "-q", "-p", "no:xdist", *rules.tests], plugins=[session])
    finally:
        os.dup2(told, 1)
    if not session.passes:
        raise SystemExit(f"{area}: the tests fail without any change")
    return len(made), session.alive


def main() -> None:
    """The areas that are named, or all."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all without one")
    asked.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = asked.parse_args()
    for area in given.areas or AREAS:
        since = time.monotonic()
        count, alive = run(area, jobs=given.jobs)
        print(f"{area}: {count - len(alive)} of {count} killed, {time.monotonic() - since:.0f} s", flush=True)
        for one in alive:
            print(f"  {one.source}:{one.line}: {one.what}", flush=True)


if __name__ == "__main__":
    main()
