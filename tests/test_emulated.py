"""A run that is said to be another processor's is one, or it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests import emulated

HOUSE = "tests/test_emulated.py::test_nothing"


def test_nothing() -> None:
    """What the runs below run."""


def a_run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.emulated", HOUSE]
    return subprocess.run(command, cwd=emulated.ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("processor", emulated.TOLD_TO_NUMPY, ids=lambda one: one.core)
def test_each_processor_is_emulated_here(processor: emulated.Processor) -> None:
    done = a_run(emulated.environment(processor))
    assert done.returncode == 0, done.stdout
    assert f"emulated: OpenBLAS {processor.core};" in done.stdout


@pytest.mark.parametrize(("name", "value"), [("OPENBLAS_CORETYPE", "Nehalem"), ("NPY_DISABLE_CPU_FEATURES", "")])
def test_a_run_on_another_processor_than_the_one_told_ends_without_a_test(name: str, value: str) -> None:
    processor = emulated.Processor("Haswell", emulated.AVX2)
    done = a_run(emulated.environment(processor) | {name: value})
    assert done.returncode == 4
    assert "not emulated" in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_a_run_that_is_told_nothing_ends_without_a_test() -> None:
    environment = {name: value for name, value in os.environ.items() if name != emulated.TOLD}
    assert a_run(environment).returncode == 4


def test_what_is_not_in_qemu_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulated.shutil, "which", lambda _: "/usr/bin/env")
    monkeypatch.setattr(emulated, "environment", lambda _: {**os.environ, emulated.TOLD: json.dumps({})})
    assert emulated.run(emulated.Processor("Nehalem", (), qemu="Nehalem"), ("--version",)) != 0


def test_without_qemu_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(emulated.shutil, "which", lambda _: None)
    assert emulated.main([]) == 2
    assert "apt-get install qemu-user" in capsys.readouterr().err
