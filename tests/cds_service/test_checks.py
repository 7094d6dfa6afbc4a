"""What is verified before a start, and what the process that forks the workers may not have loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from cds_service import checks
from cds_service.settings import Settings
from models_onnx.registry import PACKAGE

ARBITER = "cds_service.cli, cds_service.checks, cds_service.server, cds_service.http_worker, cds_service.gunicorn_conf"


def test_the_process_that_forks_the_workers_has_not_loaded_onnxruntime() -> None:
    """Its threads do not exist after the fork, and every worker would abort when it ends."""
    program = f"import sys, {ARBITER}; print([name for name in sys.modules if name.startswith('onnxruntime')])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_models_that_are_not_what_was_exported_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    right = {one.what: one for one in checks.run(Settings(models=folder, demo=True))}["models"]
    assert right.ok
    graph = next(folder.glob("*/rcri/1.0.0/model.onnx"))
    graph.write_bytes(graph.read_bytes() + b" ")
    wrong = {one.what: one for one in checks.run(Settings(models=folder, demo=True))}["models"]
    assert (wrong.ok, "rcri 1.0.0: model.onnx is not the file that was exported" in wrong.told) == (False, True)
