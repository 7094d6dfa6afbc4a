"""The rooms of the code, counted from its imports and calls: `python -m tests.architecture.measure` prints them."""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from tests.test_architecture import MAXIMUM_LINES, PACKAGES, ROOT, SOURCES, imports, module_name

FIRST = "cds_service.answer"
# Names of functions that say nothing of what is read or told.
EMPTY_NAMES = ("read", "told")
# Each room builds on rooms before it and on no other. `models_onnx` comes first for its reader of data files alone.
ORDER = (
    "models_onnx", "models_onnx.added", "models_onnx.documents", "models_onnx.training",
    "fhir_mappings.fhir", "fhir_mappings.terminology",
    "fhir_mappings.results", "fhir_mappings.patient", "fhir_mappings.orders", "fhir_mappings.features",
    "fhir_mappings.during",
    "fhir_mappings.outcomes",
    "fhir_mappings.writing", "fhir_mappings.report", "fhir_mappings", "cds_service.tenants", "cds_service.trust",
    "cds_service.measures", "cds_service.follow_up", "cds_service.records", "cds_service.records.migrations.versions",
    "cds_service.records.migrations",
    "cds_service.hooks", "cds_service.patient_data", "cds_service.advice", "cds_service.cards", "cds_service",
    "cds_service.operations", "cds_service.answering", "cds_service.pages", "cds_service.validation",
    "cds_service.during", "cds_service.during_subscriptions", "cds_service.smart", "cds_service.ehr",
    "cds_service.demo", "cds_service.workbench", "cds_service.web",
    "cds_service.monitoring", "cds_service.replay", "cds_service.demo_hospital", "cds_service.commands",
)  # fmt: skip

Graph = Mapping[str, Mapping[str, set[str]]]


@cache
def modules() -> dict[str, Path]:
    """Every module of the product with its file."""
    return {module_name(path): path for path in SOURCES}


@cache
def imported() -> dict[str, frozenset[str]]:
    """By module the modules of ours that it imports, anywhere in it; a package's sentence is none."""
    plain = {name for name, path in modules().items() if path.name != "__init__.py"}
    return {name: frozenset(set(imports(path)) & plain - {name}) for name, path in modules().items() if name in plain}


def room(module: str) -> str:
    """The package that a module lies in."""
    return module.rpartition(".")[0]


def first_room(module: str) -> str:
    """The room of the first level that a module lies in, with all that is below it."""
    return ".".join(room(module).split(".")[:2])


def arrows(into: Callable[[str], str] = room) -> Graph:
    """By room the rooms that it imports from, each with the imports that make the arrow."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for module, targets in imported().items():
        for target in targets:
            if into(module) != into(target):
                found[into(module)][into(target)].add(f"{module} imports {target}")
    return found


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """The rooms that reach each other, in groups (strongly connected, of two or more)."""
    reached = {name: _reached(name, graph) for name in graph}
    groups = {tuple(sorted(other for other in reached[name] if name in reached.get(other, ()))) for name in graph}
    return sorted(group for group in groups if len(group) > 1)


def _reached(start: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for name in graph.get(ahead.pop(), {}):
            if name not in seen:
                seen.add(name)
                ahead.append(name)
    return seen


def backwards() -> list[str]:
    """Imports from a room that stands later in ORDER, and rooms that do not stand there."""
    place = {name: number for number, name in enumerate(ORDER)}
    strange = sorted({room(module) for module in imported()} - place.keys())
    against = [
        one
        for source, targets in arrows().items()
        for target, why in targets.items()
        if place.get(target, 0) > place.get(source, len(ORDER))
        for one in sorted(why)
    ]
    return [f"{name} has no place in ORDER" for name in strange] + against


def entered_by_imports() -> set[str]:
    """The rooms of everything that the first page imports, and what that imports, to the end."""
    seen: set[str] = set()
    ahead = [FIRST]
    while ahead:
        module = ahead.pop()
        if module not in seen:
            seen.add(module)
            ahead.extend(imported()[module])
    return {room(module) for module in seen}


def entered_by_calls(asked: Callable[[], object]) -> set[str]:
    """The rooms whose functions run below `answer` while something is asked in this thread."""
    files = {str(path): name for name, path in modules().items()}
    first, found, depth = str(modules()[FIRST]), set(), 0

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal depth
        file = frame.f_code.co_filename
        is_first = file == first and frame.f_code.co_name == "answer"
        if event == "call":
            depth += is_first
            if depth and file in files:
                found.add(room(files[file]))
        elif event == "return":
            depth -= is_first

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        asked()
    finally:
        sys.setprofile(before)
    return found


def _nodes(kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[Path, Any]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds):
                yield path, node


def _more_than_once(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for name, where in named:
        by_name[name].append(where)
    return {name: found for name, found in sorted(by_name.items()) if len(found) > 1}


def classes_twice() -> dict[str, list[str]]:
    """Class names that stand twice in the product, with their files."""
    return _more_than_once((node.name, str(path.relative_to(ROOT))) for path, node in _nodes(ast.ClassDef))


def modules_twice() -> dict[str, list[str]]:
    """File names that stand in two rooms."""
    plain = (path for path in SOURCES if not path.name.startswith("__"))
    return _more_than_once((path.stem, str(path.relative_to(ROOT))) for path in plain)


def empty_names() -> list[str]:
    """Functions of a module that are called by a word of EMPTY_NAMES."""
    return [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in SOURCES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name in EMPTY_NAMES
    ]


def too_long() -> list[str]:
    """Files above the limit."""
    return [
        str(path.relative_to(ROOT)) for path in SOURCES if path.read_text(encoding="utf-8").count("\n") > MAXIMUM_LINES
    ]


def main() -> None:
    """Print everything, a measure a line."""
    sizes = Counter(room(module) for module in imported())
    for name in sorted(sizes):
        print(f"{sizes[name]:4} files  {name} -> {' '.join(sorted(arrows().get(name, {})))}")
    for tree in PACKAGES:
        inside = {name: targets for name, targets in arrows().items() if name.split(".")[0] == tree}
        print(f"circles in {tree}: {circles(inside)}")
    print(f"circles between rooms of the first level: {circles(arrows(first_room))}")
    print(f"arrows that run back up: {backwards()}")
    print(f"rooms entered from {FIRST}, by imports: {len(entered_by_imports())}")
    print(f"class names twice: {list(classes_twice())}")
    print(f"file names twice: {list(modules_twice())}")
    print(f"functions called {' or '.join(EMPTY_NAMES)}: {len(empty_names())}")
    print(f"files above {MAXIMUM_LINES} lines: {too_long()}")


if __name__ == "__main__":
    main()
