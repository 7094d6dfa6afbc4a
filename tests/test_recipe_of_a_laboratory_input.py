"""docs/how-to-add.md holds: each recipe, followed word by word in a copy of the repository, is all that it takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "how-to-add.md").read_text(encoding="utf-8")
FOLDERS = ("cds_service", "fhir_mappings", "models_onnx", "tests")
ADDED = "lactate_dehydrogenase"
# What has to hold of every input: it is derived from its own code, prefetched and fetched, and its words are told;
# units are readable, value sets whole, the catalogue in order.
EVERY_INPUT = (
    "tests/cds_service/patient_data/test_every_feature.py",
    "tests/fhir_mappings/features/test_features.py",
    "tests/fhir_mappings/terminology/test_units.py",
    "tests/fhir_mappings/terminology/test_value_sets.py",
)


def recipe(title: str) -> tuple[list[str], list[str]]:
    """The files that a recipe names, in order, and what it says to write into them."""
    text = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    files = [re.findall(r"`((?:\w+/)+[\w.-]+)`", step)[0] for step in re.findall(r"^\d\. .*$", text, re.M)]
    return files, re.findall(r"```\w+\n(.*?)```", text, re.S)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "patients", "benchmarks", "end_to_end")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def follow(copy: Path, *, steps: int = 2) -> None:
    """The first steps of the recipe for a laboratory input."""
    (table, value_set), (row, codes) = recipe("A laboratory input")
    path = copy / table
    text = path.read_text(encoding="utf-8")
    begin = text.index("RULES: dict")
    end = text.index("\n    )\n}\n", begin)
    path.write_text(f"{text[:end]}\n{textwrap.indent(row.rstrip(), ' ' * 8)}{text[end:]}", encoding="utf-8")
    if steps == 2:
        (copy / value_set).write_text(codes, encoding="utf-8")


def run(copy: Path, *arguments: str) -> str:
    """What pytest says of the copy."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_laboratory_input_is_a_row_and_a_value_set(copy: Path) -> None:
    assert len(recipe("A laboratory input")[0]) == 2
    follow(copy)
    said = run(copy, *EVERY_INPUT)
    assert re.search(r"^\d+ passed", said.splitlines()[-1]), said[-3000:]
    assert "2 passed" in run(copy, EVERY_INPUT[0], "-k", ADDED)  # prefetched and fetched


def test_a_row_without_its_value_set_is_noticed(copy: Path) -> None:
    follow(copy, steps=1)
    assert "2 failed" in run(copy, EVERY_INPUT[0], "-k", ADDED)
