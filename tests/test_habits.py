"""What the project is kept by: one version with its changes, hooks, stages with times, interpreters, floors."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests import mutants
from tests.references import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_version_is_the_latest_of_the_changelog() -> None:
    releases = re.findall(r"^## (\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)$", (ROOT / "docs/CHANGELOG.md").read_text(), re.M)
    assert releases[0][0] == PROJECT["project"]["version"]
    assert [day for _, day in releases] == sorted((day for _, day in releases), reverse=True)


def test_the_hooks_fetch_nothing_and_ask_what_lint_asks() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert "://" not in text
    hooks = [hook for repository in yaml.safe_load(text)["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in yaml.safe_load(text)["repos"]} == {"local"}
    assert all(hook["language"] == "system" and hook["entry"].startswith(".venv/bin/") for hook in hooks)
    asked = " ".join(hook["entry"] for hook in hooks)
    assert all(tool in asked for tool in ("ruff check", "ruff format --check", "mypy"))


@pytest.mark.parametrize(("last", "status"), [("true", 0), ("false", 1)])
def test_a_run_tells_its_stages_and_their_times(tmp_path: Path, last: str, status: int) -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    kept = text[text.index("stages=()") : text.index("missing()")]
    script = tmp_path / "run"
    script.write_text(f'set -euo pipefail\n{kept}\nstage "One"\ntrue\nstage "Two words"\n{last}\n', encoding="utf-8")
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=False)
    assert done.returncode == status
    end = done.stdout.rpartition("\n== ")[2]
    assert end.startswith("Failed in: Two words" if status else "All stages passed")
    assert re.findall(r"^ +\d+ s  (.+)$", end, re.M) == ["One", "Two words", "altogether"]


def test_the_interpreters_are_told_and_the_absent_ones_are_not_claimed(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "matrix"
    script.write_bytes((ROOT / ".ci" / "matrix").read_bytes())
    for name, does in {".venv/bin/python": "echo 3.11", "bin/python3.12": "exit 0", "bin/make": "exit 0"}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        path.chmod(0o755)
    (tmp_path / "bin" / "dirname").symlink_to(str(shutil.which("dirname")))  # no Python of this machine
    env = {"PATH": f"{tmp_path}/bin"}
    done = subprocess.run([str(shutil.which("sh")), script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"Python (\S+): (\w+)", done.stdout) == [
        ("3.11", "tested"),
        ("3.12", "tested"),
        ("3.13", "absent"),
        ("3.14", "absent"),
    ]


def test_the_matrix_is_of_every_python_that_the_package_names() -> None:
    versions = re.search(r"for version in ([\d. ]+);", (ROOT / ".ci" / "matrix").read_text(encoding="utf-8"))
    assert versions is not None
    first = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert versions.group(1).split() == [first, "3.12", "3.13", "3.14"]


def test_the_clinical_rules_that_coverage_counts_are_there() -> None:
    lines = MAKEFILE.replace("\\\n", " ")
    named = re.search(r"^CLINICAL +:= (.+)$", lines, re.M)
    tests = re.search(r"^CLINICAL_TESTS +:= (.+)$", lines, re.M)
    assert named is not None
    assert tests is not None
    assert [one for one in named.group(1).split(",") if not list(ROOT.glob(one))] == []
    assert [one for one in tests.group(1).split() if not (ROOT / one).exists()] == []
    assert PROJECT["tool"]["coverage"]["run"]["branch"] is True
    assert PROJECT["tool"]["coverage"]["report"]["fail_under"] >= 90


@pytest.mark.parametrize("area", mutants.AREAS)
def test_an_area_of_the_mutation_run_is_there(area: str) -> None:
    rules = mutants.AREAS[area]
    assert [name for name in (*rules.sources, *rules.tests) if not (ROOT / name).exists()] == []
    for source, functions in rules.sources.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        assert [name for name in functions if f"def {name}(" not in text] == []


def test_a_mutant_is_one_change_of_a_rule(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    (tmp_path / "rules.py").write_text(
        '"""Of x."""\n\n\ndef rule(x: int = 1) -> bool:\n    """If."""\n    return x > 2\n'
    )
    assert [one.what for one in mutants.mutants("rules.py")] == ["x > 2 -> x >= 2", "2 -> 3"]
    assert [one.line for one in mutants.mutants("rules.py")] == [6, 6]
