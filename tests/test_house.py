"""The house itself: its fixed top level, locks that name no host, a Dockerfile that passes its linter."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIXED = {"pyproject.toml", "cds_service", "fhir_mappings", "models_onnx", "tests", "Dockerfile", "README.md"}
BESIDE = {"Makefile", "LICENSE", "NOTICE", "deploy", "docs"}
LOCKS = sorted(ROOT.glob("*.lock"))


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {Path(name).parts[0] for name in listed.splitlines()}


def test_the_top_level_is_the_fixed_one() -> None:
    found = {name for name in tracked() if not name.startswith(".") and not name.startswith("requirements")}
    assert found >= FIXED
    assert found <= FIXED | BESIDE


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_versions_and_hashes_and_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"https?://|--index-url|--find-links|--extra-index", text)
    pinned = re.findall(r"^[\w.\[\]-]+==\S+", text, re.MULTILINE)
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)


def test_serving_needs_nothing_that_only_training_needs() -> None:
    serving = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"^(scikit-learn|skl2onnx|onnx|pandas|scipy)==", serving, re.MULTILINE)


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text().replace("_", "-"), re.MULTILINE))
    names = {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in project["dependencies"]}
    assert {name.replace(".", "-") for name in names} <= {name.replace(".", "-") for name in locked}


def test_the_dockerfile_passes_its_linter() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_runs_without_root() -> None:
    assert re.search(r"^USER 10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_ci_is_a_script_that_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
