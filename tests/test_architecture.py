"""The house rules of the code, held by reading its imports: who may know whom, and one door for each library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cds_service", "fhir_mappings", "models_onnx")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAXIMUM_LINES = 300

FORBIDDEN_NAMES = {
    "utils", "util", "common", "helpers", "helper", "base", "manager", "managers", "processor", "processors",
    "handlers", "handler", "interfaces", "misc", "lib",
}  # fmt: skip

# Library → the modules that may import it (a package stands for all that is in it).
DOORS = {
    "flask": ("cds_service.web.app", "cds_service.web.server", "cds_service.web.hook_routes",
              "cds_service.web.error_responses",
              "cds_service.pages", "cds_service.smart", "cds_service.workbench", "cds_service.demo",
              "cds_service.web.operations_routes", "cds_service.web.health_routes", "cds_service.web.during_routes",
              "cds_service.web.subscription_routes",
              "cds_service.during"),
    "werkzeug": ("cds_service.web.app", "cds_service.web.server", "cds_service.web.hook_routes",
                 "cds_service.web.error_responses", "cds_service.pages", "cds_service.smart",
                 "cds_service.workbench", "cds_service.demo"),
    # `ehr` is an EHR, a client of this service; the service itself calls out by its one door only.
    **dict.fromkeys(("requests", "urllib3", "urllib.request", "httpx", "authlib.integrations.requests_client"),
                    ("cds_service.ehr",)),
    **dict.fromkeys(("http.client", "ssl", "certifi"),
                    ("cds_service.trust.egress_session", "cds_service.trust.outbound", "cds_service.trust.replies")),
    # Beside the door: the worker that takes connections, and the demo that looks whether its port is free.
    "socket": ("cds_service.trust.egress_session", "cds_service.web.http_connection", "cds_service.web.http_worker",
               "cds_service.web.listening", "cds_service.demo.show"),
    "fhir": ("fhir_mappings",),
    "onnxruntime": ("models_onnx",),
    "onnx": ("models_onnx.training",),
    "sklearn": ("models_onnx.training",),
    "skl2onnx": ("models_onnx.training",),
    "pandas": ("models_onnx.training", "models_onnx.monitoring"),
    "scipy": ("models_onnx.training", "models_onnx.monitoring"),
    "sqlalchemy": ("cds_service.records",),
    "alembic": ("cds_service.records",),
    "jwt": ("cds_service.trust",),
    # Read by one reader (models_onnx/data_files.py); training also writes cards.
    "yaml": ("models_onnx.data_files", "models_onnx.training"),
    "pyspark": ("fhir_mappings.report.bulk_spark", "fhir_mappings.report.bulk_frames", "cds_service.replay.spark"),
    "pyarrow": ("fhir_mappings.report.bulk_frames", "cds_service.replay.spark"),
    "opentelemetry": ("cds_service.operations.traces",),
}  # fmt: skip

# Importer → what it may never import.
CLOSED = (
    ("fhir_mappings", ("cds_service", "models_onnx")),  # but for READER
    ("models_onnx", ("cds_service",)),
    ("cds_service.trust", ("cds_service.advice", "cds_service.answer", "cds_service.patient_data", "fhir_mappings",
                           "models_onnx", "cds_service.records")),
    ("cds_service.advice", ("cds_service.web.hook_routes", "cds_service.web.app", "cds_service.patient_data",
                            "cds_service.trust", "cds_service.answer")),
    ("cds_service.patient_data", ("cds_service.advice", "cds_service.answer", "cds_service.web.app", "models_onnx",
                                  "cds_service.records")),
    ("cds_service.records", ("cds_service.web.hook_routes", "cds_service.web.app", "cds_service.patient_data",
                             "cds_service.answer")),
    ("cds_service.answer", ("cds_service.web.app", "cds_service.web.hook_routes", "cds_service.commands.cli",
                            "cds_service.demo")),
    ("cds_service.hooks.request", ("fhir_mappings", "models_onnx", "cds_service.advice", "cds_service.records")),
    ("cds_service.hooks.card", ("fhir_mappings", "models_onnx", "cds_service.advice", "cds_service.records")),
    ("cds_service.hooks.feedback", ("fhir_mappings", "models_onnx", "cds_service.advice")),
    ("cds_service.demo", ("cds_service.answer", "cds_service.advice", "cds_service.records", "models_onnx")),
)  # fmt: skip

# The order in which fhir_mappings may build on itself: a module imports from its own layer or from one before it.
MAPPING_LAYERS = (
    ("units", "value_sets", "concept_maps", "code_systems", "dates"),
    ("resources",),
    ("demographics", "diagnoses", "measurements", "medications", "procedures"),
    ("patient_record",),
    ("features",),
)

# Shapes of data of which another has a member more, and the classes that libraries ask for.
SHAPES = "Resource|Base|Record|Coding|CodeableConcept"
HEAVY = ("sklearn", "pandas", "matplotlib", "scipy", "onnx", "skl2onnx", "pint", "hypothesis", "pytest")
EXTRA = ("opentelemetry", "pyspark", "pyarrow")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def within_any(module: str, packages: tuple[str, ...]) -> bool:
    return any(within(module, package) for package in packages)


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that the file imports anywhere in it, as a dotted name; `from a import b` gives a and a.b."""
    package = module_name(path).split(".") if path.name == "__init__.py" else module_name(path).split(".")[:-1]
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*origin, *([node.module] if node.module else [])])
            found += (source, *(f"{source}.{alias.name}" for alias in node.names))
    return tuple(found)


# The one reader of data files, which knows nothing of models.
READER, _ERROR = "models_onnx.data_files", "models_onnx.data_files.DataFileError"


def offences(importer: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if within(module_name(path), importer)
        for name in imports(path)
        if within_any(name, forbidden) and not _is_reader(name, path)
    ]


def _is_reader(name: str, path: Path) -> bool:
    """Whether this is the import of the reader: `from models_onnx import data_files` names its package too."""
    whole = set(imports(path))
    of_package = {one for one in whole if within(one, "models_onnx")}
    return within(name, READER) or (name == "models_onnx" and of_package <= {"models_onnx"} | {READER, _ERROR})


@pytest.mark.parametrize(("importer", "forbidden"), CLOSED, ids=[importer for importer, _ in CLOSED])
def test_a_package_does_not_know_what_comes_after_it(importer: str, forbidden: tuple[str, ...]) -> None:
    assert offences(importer, forbidden) == []


def test_serving_models_know_no_fhir_and_no_training() -> None:
    learning = ("models_onnx.training", "models_onnx.monitoring")
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if within(module_name(path), "models_onnx") and not within_any(module_name(path), learning)
        for name in imports(path)
        if within_any(name, ("fhir_mappings", "models_onnx.training"))
    ]
    assert found == []


def test_the_service_never_imports_training() -> None:
    assert offences("cds_service", ("models_onnx.training",)) == []


@pytest.mark.parametrize("library", DOORS)
def test_a_library_has_one_door(library: str) -> None:
    outside = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if not within_any(module_name(path), DOORS[library])
        for name in imports(path)
        if within(name, library)
    ]
    assert outside == []


def mapping_layer(module: str) -> int | None:
    parts = module.split(".")
    names = parts[1:2] if parts[0] == "fhir_mappings" else []
    return next((level for level, layer in enumerate(MAPPING_LAYERS) if names and names[0] in layer), None)


def test_the_mapping_is_built_in_layers() -> None:
    upwards = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        if (own := mapping_layer(module_name(path))) is not None
        for name in imports(path)
        if (other := mapping_layer(name)) is not None and other > own
    ]
    assert upwards == []


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAXIMUM_LINES
    if not text.strip():
        assert path.name == "__init__.py"
        assert path in TESTS, "a package of the product says what it is"
        return
    first_line = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert first_line.endswith((".", "?")), "a module opens with one docstring sentence"


def test_no_folder_or_file_is_a_drawer() -> None:
    named = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES + TESTS}
    assert [str(path) for path, parts in named.items() if parts & FORBIDDEN_NAMES] == []


def test_no_class_inherits_but_errors_and_declared_shapes() -> None:
    """Data shapes and the class that a library asks for are not inheritance of behaviour; our own classes are."""
    own = {
        node.name: path
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.endswith("Error")
    }
    heirs = [
        f"{path.relative_to(ROOT)}: {node.name}({parent.id})"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for parent in node.bases
        if isinstance(parent, ast.Name) and parent.id in own
    ]
    assert [heir for heir in heirs if not re.search(rf"\(({SHAPES})\)$", heir)] == []


def test_importing_the_service_loads_nothing_that_only_training_needs() -> None:
    program = f"import sys, cds_service.web.app; print(*sorted(set({HEAVY + EXTRA!r}) & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_commands_count_nothing_before_it_is_said_where() -> None:
    """prometheus_client looks once, when it is imported, where the workers of a start count together."""
    program = "import sys, cds_service.commands.cli, cds_service.web.server; print('prometheus_client' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False"]


# What shuts a tenant: members of its file, a switch, and the modes that show nothing. The gate alone judges them;
# beside it stand the rules of a good tenant file and the command that sets a switch, which tell nobody anything.
GATE = ("cds_service.answering.gate", "cds_service.answering.modes")
SETTING = ("cds_service.tenants.tenant_rules", "cds_service.tenants.during_rules", "cds_service.commands.switches")
SHUTTING_MEMBERS = {"region", "ce_marked", "retired_on", "canary", "silent_share"}
SHUTTING_WORDS = {
    "kill",
    "killed",
    "kill-switch",
    "off",
    "silent",
    "canary",
    "mode-off",
    "mode-silent",
    "mode-canary",
    "mode-hold-out",
    "validation-outdated",
    "hold-out",
}


def judgements(tree: ast.AST) -> Iterator[str]:
    """The places where code reads a member that shuts, or compares with a word that does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SHUTTING_MEMBERS:
            yield f"line {node.lineno} reads .{node.attr}"
        if isinstance(node, ast.Compare | ast.MatchValue):
            words = {
                one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
            yield from (f"line {node.lineno} compares with {word!r}" for word in sorted(words & SHUTTING_WORDS))


def test_one_gate_judges_region_end_kill_switch_mode_and_canary() -> None:
    outside = [
        f"{path.relative_to(ROOT)} {judgement}"
        for path in SOURCES
        if within(module_name(path), "cds_service") and not within_any(module_name(path), (*GATE, *SETTING))
        for judgement in judgements(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert outside == []
    importers = [path for path in SOURCES for name in imports(path) if within(name, "cds_service.answering.modes")]
    assert {module_name(path) for path in importers} == {"cds_service.answering.gate"}


@pytest.mark.parametrize(
    "code", ["tenant.region == 'EU'", "if tenant.mode == 'off': pass", "mode in ('silent', 'on')", "a.canary.percent"]
)
def test_a_judgement_beside_the_gate_would_be_found(code: str) -> None:
    assert list(judgements(ast.parse(code)))
