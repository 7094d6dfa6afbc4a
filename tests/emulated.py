"""Other processors than this one: `python -m tests.emulated` runs what depends on floating point under each of them.

numpy and OpenBLAS are told to take another processor's routines; onnxruntime, which cannot be told, runs under
qemu-user. As a pytest plugin (`-p tests.emulated`) this module ends every process of a run that is not what it is
told to be, so that no run is silently one on this machine's own processor. A skipped test is a failure, as in CI.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QEMU = "qemu-x86_64"
TOLD = "EMULATED_PROCESSOR"
# numpy's dispatch above its baseline (x86-64-v2): version 3 has AVX2 and FMA, version 4 AVX-512.
AVX2, AVX512 = ("X86_V3",), ("X86_V4", "AVX512_ICL", "AVX512_SPR")
FLOATING = ("tests/models_onnx", "tests/acceptance/test_golden.py", "tests/acceptance/test_dialects.py",
            "tests/acceptance/test_main_job.py", "tests/cds_service/cards/test_dialects.py")  # fmt: skip
# Every graph at its golden scores (`load` replays them) and against its source, and the cards as they are read.
GOLDEN = ("tests/models_onnx/training/test_export.py",
          "tests/models_onnx/training/test_rebuilt.py::test_a_rebuild_gives_what_is_shipped",
          "tests/models_onnx/training/test_rebuilt.py::test_what_was_made_here_is_served",
          "tests/models_onnx/test_registry.py::test_an_equation_steps_where_it_was_published_to",
          "tests/acceptance/test_golden.py::test_the_card_is_as_it_was_agreed")  # fmt: skip
WHOLE = ("-m", "not end_to_end and not benchmark and not long")


@dataclass(frozen=True)
class Processor:
    """What OpenBLAS names it, and what of numpy's features it does not have; by qemu, or told to both libraries."""

    core: str
    without: tuple[str, ...]
    qemu: str | None = None


TOLD_TO_NUMPY = (
    Processor("Nehalem", (*AVX2, *AVX512)),
    Processor("Sandybridge", (*AVX2, *AVX512)),
    Processor("Haswell", AVX512),
)
# Five minutes and more each, that `make long` takes; of Haswell the golden scores are held in qemu.
WHOLE_ONLY = {"Sandybridge", "Haswell"}
IN_QEMU = (
    Processor("Nehalem", (*AVX2, *AVX512), qemu="Nehalem"),
    Processor("Haswell", AVX512, qemu="Haswell-noTSX,-pcid,-x2apic,-tsc-deadline,-invpcid"),
)


def found() -> tuple[set[str], set[str]]:
    """The OpenBLAS kernels and the numpy features that this process computes with."""
    import scipy.linalg  # noqa: F401 (its own OpenBLAS is looked at too)
    from numpy._core import _multiarray_umath as numpy_core
    from threadpoolctl import threadpool_info

    kernels = {one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas"}
    features = {name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[name]}
    return kernels, features


def pytest_sessionstart(session: pytest.Session) -> None:
    """In every process of the run: it is the processor it is told to be, or it ends."""
    if TOLD not in os.environ:
        raise pytest.UsageError(f"{TOLD} does not say which processor this is to be")
    told = json.loads(os.environ[TOLD])
    kernels, features = found()
    if kernels != {told["core"]} or features & set(told["without"]):
        pytest.exit(f"not emulated: {told} is to be, {sorted(kernels)} with {sorted(features)} is", returncode=4)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was found, below the tests."""
    kernels, features = found()
    told = ", ".join(sorted(features)) or "x86-64-v2 alone"
    terminalreporter.write_line(f"emulated: OpenBLAS {', '.join(sorted(kernels))}; numpy {told}")


def environment(processor: Processor) -> dict[str, str]:
    """The environment of a run: nothing of this machine's own choice of routines is left."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "NPY_"))}
    kept |= {"CI": "true", "PYTHONPATH": str(ROOT), TOLD: json.dumps(asdict(processor))}
    if processor.qemu is None:
        _, enabled = found()
        here = enabled | set(os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split())  # it may be emulated itself
        kept |= {
            "OPENBLAS_CORETYPE": processor.core,
            "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in processor.without if name in here),
        }
    return kept


def run(processor: Processor, tests: Sequence[str]) -> int:
    """Run `tests` as on that processor; returns pytest's exit status, or 1 where qemu does not run it."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.emulated", *tests]
    if processor.qemu is not None:
        command = [str(shutil.which(QEMU)), "-cpu", processor.qemu, *command]
    name = f"qemu-user -cpu {processor.qemu}" if processor.qemu else f"OPENBLAS_CORETYPE={processor.core}"
    began = time.monotonic()
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, cwd=ROOT, env=environment(processor), stdout=output, stderr=output) as process,
    ):
        emulated = processor.qemu is None or _runs_in_qemu(process)
        status = process.wait()
        output.seek(0)
        told = output.read().decode(errors="replace")
    print(f"\n-- {name}, without {' '.join(processor.without)}\n{told}", end="")
    if not emulated:
        print("not emulated: the process was not qemu's")
    print(f"-- {name}: exit {status} after {time.monotonic() - began:.0f} s", flush=True)
    return status if emulated else 1


def _runs_in_qemu(process: subprocess.Popen[bytes]) -> bool:
    """Whether what this machine executes is qemu; what it emulates cannot see that."""
    try:
        return Path(f"/proc/{process.pid}/exe").readlink().name.startswith("qemu-")
    except OSError:  # it has ended
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what depends on floating point, or with --whole all of `make test`; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulated", description=__doc__)
    parser.add_argument("--whole", action="store_true", help="all of `make test` under each, instead of a part")
    whole = parser.parse_args(arguments).whole
    if shutil.which(QEMU) is None:
        print(f"{QEMU} is not installed. On Debian and Ubuntu: apt-get install qemu-user", file=sys.stderr)
        return 2
    tests = WHOLE if whole else FLOATING
    told = TOLD_TO_NUMPY if whole else [one for one in TOLD_TO_NUMPY if one.core not in WHOLE_ONLY]
    failed = [one for one in told if run(one, ("-n", "auto", *tests))]
    with ThreadPoolExecutor(os.cpu_count()) as side_by_side:  # qemu-user computes on one core
        ended = side_by_side.map(run, IN_QEMU, repeat(GOLDEN))
        failed += [one for one, status in zip(IN_QEMU, ended, strict=True) if status]
    print(f"\n{len(told) + len(IN_QEMU)} processors emulated, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
