"""What workers are forked from: it shares its memory with them, and hands down nothing that breaks after a fork."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import importlib, os, sys
import numpy, onnxruntime
before = set(os.listdir("/proc/self/task"))
session, opened = onnxruntime.InferenceSession, []
onnxruntime.InferenceSession = lambda *given, **named: opened.append(1) or session(*given, **named)

import cds_service.commands.cli, cds_service.web.server, cds_service.web.gunicorn_conf
from cds_service.web import preloading
from cds_service.web.settings import Settings

preloading.load(Settings(demo=True, database_url="sqlite:///" + sys.argv[1]))
print("threads", len(set(os.listdir("/proc/self/task")) - before), "models", len(opened))
sys.stdout.flush()
if (child := os.fork()) == 0:
    from models_onnx import registry
    known = set(sys.modules)
    registry.load().score({})
    sys.exit(3 if "cds_service.web.app" not in known else 0)
print("child", os.waitpid(child, 0)[1])
"""


def test_the_parent_of_the_workers_opens_no_model_and_starts_no_thread_and_its_children_end_in_order(
    tmp_path: Path,
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "record.sqlite3")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout.split("\n")[:2] == ["threads 0 models 0", "child 0"]


def test_what_is_done_apart_is_not_left_in_the_parent(tmp_path: Path) -> None:
    program = (
        "import sys; from cds_service.commands import cli;"
        f"cli._apart(cli._migrate, 'sqlite:///{tmp_path}/record.sqlite3'); print('alembic' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "False"
    assert (tmp_path / "record.sqlite3").stat().st_size > 0
