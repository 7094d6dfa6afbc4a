"""No data file of the product may say one thing twice: the one reader refuses it, with the file and the line."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from cds_service.advice import catalogue
from cds_service.advice.catalogue import CatalogueError
from cds_service.tenants.tenant_files import TenantError, load_file
from fhir_mappings.terminology import icd_editions
from models_onnx import data_files, model_card, peers
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError
from models_onnx.registry import read_entries

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "cds_service", "fhir_mappings", "models_onnx", "deploy"],
    cwd=ROOT, capture_output=True, text=True, check=True,
).stdout.split()  # fmt: skip
# What others read: Helm its chart, Docker its Compose file; tests/deploy holds them to their own schemas.
OF_OTHERS = ("deploy/helm/", "deploy/compose.yaml")
YAML = [name for name in TRACKED if name.endswith((".yaml", ".yml")) and not name.startswith(OF_OTHERS)]
JSON = [name for name in TRACKED if name.endswith(".json")]
TABLES = {
    "icd_categories.csv": ["category"],
    "icd_refinements.csv": ["edition", "code", "idea"],
    "icd9_categories.csv": ["first"],
    "rxnorm_brands.csv": ["brand", "ingredient"],
    "rxnorm_classes.csv": ["code", "ingredient", "class"],
}


def nodes(text: str) -> Iterator[yaml.MappingNode]:
    def walk(node: yaml.Node) -> Iterator[yaml.MappingNode]:
        if isinstance(node, yaml.MappingNode):
            yield node
            for _, value in node.value:
                yield from walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                yield from walk(value)

    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        yield from walk(document)


def said_twice(text: str, mapping: yaml.MappingNode) -> tuple[str, int]:
    """The text with the mapping's first member said again behind it, and the line on which it then stands."""
    name = mapping.value[0][0]
    if mapping.flow_style:
        at = mapping.start_mark.index + 1
        return f"{text[:at]}{name.value}: x, {text[at:]}", mapping.start_mark.line + 1 + _moved(text, mapping)
    line = name.start_mark.line
    lines = text.splitlines(keepends=True)
    first = f"{' ' * name.start_mark.column}{name.value}: x\n"
    if lines[line][: name.start_mark.column].strip():  # the mapping begins behind the dash of a list
        behind = lines[line][name.start_mark.column :]
        lines[line] = (
            lines[line][: name.start_mark.column] + f"{name.value}: x\n" + " " * name.start_mark.column + behind
        )
    else:
        lines.insert(line, first)
    return "".join(lines), line + 2


def _moved(text: str, mapping: yaml.MappingNode) -> int:
    return int(mapping.value[0][0].start_mark.line - mapping.start_mark.line)


@pytest.mark.parametrize("name", YAML)
def test_a_key_said_twice_anywhere_in_a_yaml_file_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    every = list(nodes(text))
    assert every
    if len(list(yaml.compose_all(text, Loader=yaml.SafeLoader))) == 1:
        data_files.read_yaml(ROOT / name, object)
    path = tmp_path / Path(name).name
    # Of long files every kind of place, not each of thousands: the first, the last and some between.
    for mapping in every[:: max(1, len(every) // 12)] + every[-1:]:
        changed, line = said_twice(text, mapping)
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(DataFileError, match=rf"^{re.escape(str(path))}:{line}: `.*` is given twice$"):
            data_files.read_yaml(path, object)


@pytest.mark.parametrize("name", JSON)
def test_a_key_said_twice_in_a_json_file_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    data_files.read_json(ROOT / name, object)
    text = (ROOT / name).read_text(encoding="utf-8")
    path = tmp_path / Path(name).name
    places = [found.end() for found in re.finditer(r'\{(?=\s*")', text)]
    for at in {places[0], places[-1], places[len(places) // 2]}:
        key = re.match(r'\s*("(?:[^"\\]|\\.)*")', text[at:])
        assert key
        path.write_text(f"{text[:at]}{key[1]}: 0, {text[at:]}", encoding="utf-8")
        with pytest.raises(DataFileError, match=rf"^{re.escape(str(path))}:\d+: `.*` is given twice"):
            data_files.read_json(path, object)


@pytest.mark.parametrize("name", TABLES)
def test_a_row_said_twice_in_a_table_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    text = (ROOT / "fhir_mappings" / "terminology" / name).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    header = rows[0].split(",")
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert len(list(data_files.read_rows(path, header, TABLES[name]))) == len(rows) - 1
    for again in (rows[1], rows[-1]):
        path.write_text(f"{text}{again}\n", encoding="utf-8")
        with pytest.raises(DataFileError, match=rf"^{re.escape(str(path))}:{len(text.splitlines()) + 1}: .*twice"):
            list(data_files.read_rows(path, header, TABLES[name]))


def test_every_table_is_one_that_says_what_its_rows_are() -> None:
    assert {Path(name).name for name in TRACKED if name.endswith(".csv") and "training" not in name} == {*TABLES}
    assert icd_editions.CATEGORIES


def test_a_limit_said_twice_in_a_rule_of_the_catalogue_stops_the_start(tmp_path: Path) -> None:
    text = (catalogue.DIRECTORY / "blood.yaml").read_text(encoding="utf-8")
    found = re.search(r"\bbelow: ([\d.]+)", text)
    assert found
    (tmp_path / "blood.yaml").write_text(text.replace(found[0], f"{found[0]}, below: 3", 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"blood\.yaml:\d+: `below` is given twice"):
        catalogue.load(tmp_path)


@pytest.mark.parametrize("read", [model_card.read_card, peers.read_peers, read_entries, load_file])
def test_every_kind_of_file_names_itself_and_the_line(read: Any, tmp_path: Path) -> None:
    path = tmp_path / "model" / "1.0.0" / "card.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("id: a\nname: a\nid: b\n", encoding="utf-8")
    with pytest.raises((ModelError, TenantError), match=r"card\.yaml:3: `id` is given twice"):
        read(path)


def test_what_json_says_twice_is_found_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": {"b": 1}}, indent=1).replace('"b": 1', '"b": 1,\n  "b": 2'), encoding="utf-8")
    with pytest.raises(DataFileError, match=r"a\.json:4: `b` is given twice"):
        data_files.read_json(path, object)


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
@pytest.mark.parametrize("depth", [3_000, 200_000])
def test_what_is_nested_too_deeply_is_refused_and_ends_no_process(tmp_path: Path, name: str, depth: int) -> None:
    path = tmp_path / name
    path.write_text("[" * depth + "]" * depth, encoding="utf-8")
    with pytest.raises(DataFileError, match=rf"{name}:1: "):
        (data_files.read_yaml if name.endswith("yaml") else data_files.read_json)(path, list)


class Inner(msgspec.Struct):
    b: int


class Outer(msgspec.Struct):
    a: Inner


@pytest.mark.parametrize(
    ("text", "line"), [('{\n "a": {\n  "b": "text"\n }\n}', 3), ('{\n "a": {\n  "b": 1,,\n }\n}', 3), ("\n\xff", 2)]
)
def test_json_that_does_not_fit_is_named_by_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(DataFileError, match=rf"^{re.escape(str(path))}:{line}: "):
        data_files.read_json(path, Outer)


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_what_is_no_text_is_told_without_the_words_of_python(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(DataFileError, match=rf"{name}:1: "):
        (data_files.read_yaml if name.endswith("yaml") else data_files.read_json)(path, dict)


def test_the_words_on_off_yes_and_no_stay_words(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("[on, off, yes, no, true, 2026-11-01]", encoding="utf-8")
    assert data_files.read_yaml(path, list)[:5] == ["on", "off", "yes", "no", True]


READING = re.compile(r"(?:safe_load|yaml\.load|yaml\.decode|yaml\.compose|csv\.reader|csv\.DictReader)")
# A person's own table, which may say a thing twice: what happened to patients, and rows of operations to fit on.
# The audit that pip-audit wrote a moment before is no data file of ours.
TABLES_OF_OTHERS = {
    "cds_service/records/outcome_file.py",
    "models_onnx/training/operations_file.py",
    "models_onnx/training/learning_file.py",
    "cds_service/validation/cohort_file.py",
    "deploy/papers.py",
}


def test_nothing_else_reads_a_data_file() -> None:
    beside = {"models_onnx/data_files.py"} | TABLES_OF_OTHERS
    found = []
    for name in TRACKED:
        if not name.endswith(".py") or name in beside:
            continue
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                code = ast.unparse(node)
                of_file = re.match(r"(?:msgspec\.)?json\.(?:decode|loads?)\(.*read_(?:bytes|text)", code)
                if of_file or READING.match(ast.unparse(node.func)):
                    found.append(f"{name}:{node.lineno}")
    assert found == []
