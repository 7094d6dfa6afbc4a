"""An added model is opened for the first time in a process of its own, which may be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from models_onnx.added.probe import REFUSED, Trial
from models_onnx.model_card import ModelError

DEADLINE_S = 90.0
_MOST_TOLD = 4 * 1024 * 1024


def tried(folder: Path, *, seconds: float = DEADLINE_S) -> Trial:
    """The trial of the model in `folder`. Raises ModelError saying what is wrong with it."""
    command = [sys.executable, "-B", "-P", "-m", "models_onnx.added.probe", str(folder)]
    # No variable of this process, which may hold secrets, and a folder of its own.
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            done = subprocess.run(  # noqa: S603 — our own module, with a path that is no option
                command,
                cwd=elsewhere,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"model.onnx: no end of its trial within {seconds:.0f} s") from error
    told = done.stdout[:_MOST_TOLD]
    if done.returncode == REFUSED:
        raise ModelError(told.decode("utf-8", "replace")[:500])
    if done.returncode != 0:
        raise ModelError(f"model.onnx ended its trial ({_end(done.returncode)}): too much memory or time, or no graph")
    return msgspec.json.decode(told, type=Trial)


def _end(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
