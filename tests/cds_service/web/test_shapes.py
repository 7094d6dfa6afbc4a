"""Threads that read the first messages of a worker at the same time do not end it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.web import app as application
from cds_service.web import shapes
from tests.conformance.conftest import an_app

# Without `prepare` this ends with a segmentation fault in nearly every run (msgspec 0.22.0).
AT_ONCE = """
import sys, threading, types
import msgspec
from cds_service.web import shapes
sys.setswitchinterval(5e-6)
SOURCE = '''
from __future__ import annotations
import msgspec
class Part(msgspec.Struct, frozen=True, rename="camel"):
    x: int = 0
    y: str = ""
class Whole(msgspec.Struct):
    a: Part = Part()
    b: list[Part] = []
    c: dict[str, Part] = {}
    d: Part | None = None
'''
def read(shape, begin):
    begin.wait()
    msgspec.convert({"a": {"x": 1}, "b": [{"x": 2}], "c": {"q": {"x": 1}}, "d": {"x": 3}}, shape)
for number in range(150):
    module = sys.modules[f"shape{number}"] = types.ModuleType(f"shape{number}")
    exec(SOURCE, module.__dict__)
    if sys.argv[1] == "prepared":
        shapes.prepare()
    begin = threading.Barrier(6)
    threads = [threading.Thread(target=read, args=(module.Whole, begin)) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_many_threads_may_read_a_shape_for_the_first_time_at_once() -> None:
    ran = subprocess.run([sys.executable, "-c", AT_ONCE, "prepared"], capture_output=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-2_000:]


def test_a_worker_knows_every_shape_before_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: list[int] = []
    prepare = shapes.prepare
    monkeypatch.setattr(application.shapes, "prepare", lambda: known.append(prepare()))
    an_app(tmp_path, demo=True)
    assert len(known) == 2
    assert known[-1] >= known[0] > 300
