"""Opening onnxruntime tells nobody of it: no thread that sends, no file that names this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOLD_OFF = ("ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI")
PROGRAM = """
import importlib, os, sys
importlib.import_module("numpy")
before = set(os.listdir("/proc/self/task"))
importlib.import_module(sys.argv[1])
import onnxruntime
print(len(set(os.listdir("/proc/self/task")) - before))
"""


@pytest.mark.parametrize("module", ["models_onnx.sessions", "models_onnx.registry", "models_onnx.added_graph"])
def test_onnxruntime_starts_no_thread_and_leaves_no_file(module: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in TOLD_OFF}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, module], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "0"
    assert [*tmp_path.rglob("*")] == []
