"""The suite on a machine that stands still: `python -m tests.standstill`, half an hour (see patience.py).

Each test that waits for something (a connection, a thread, another process) is run once to see how long it takes, then
again with its whole process stopped once in the middle of it, longer than any wait of the product lasts. Tests of the
time itself (`in_time`) are left alone. What fails the second time would fail some day on a busy machine.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

STOPPED_S = 2.4
_WAITING = Path(__file__).parents[1] / ".build" / "waiting.jsonl"
_STANDS_STILL = "STANDSTILL"
_SUITE = ("-q", "-p", "tests.standstill", "-m", "not end_to_end and not benchmark and not long")
_WHERE = ("tests/cds_service", "tests/acceptance", "tests/conformance")
# What a process needs no share of a processor for may stand beside others: eight of them on two processors.
_AT_ONCE = {"": "auto", "1": "8"}
# Stops its parent after so many seconds, unless another line comes first.
_STOPPER = """
import os, select, signal, sys, time
while line := os.read(0, 4096).split():
    if line[-1] != b"end" and not select.select([0], [], [], float(line[-1]))[0]:
        os.kill(int(sys.argv[1]), signal.SIGSTOP)
        time.sleep(float(sys.argv[2]))
        os.kill(int(sys.argv[1]), signal.SIGCONT)
"""


class _Watched:
    """Whether a test waited for anything."""

    def __init__(self) -> None:
        self.waited = False
        for owner, name in (
            (threading.Condition, "wait"),
            (http.client.HTTPConnection, "connect"),
            (socket, "create_connection"),
            (subprocess.Popen, "__init__"),
        ):
            setattr(owner, name, self._told(getattr(owner, name)))

    def _told(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **named: Any) -> Any:
            self.waited = True
            return original(*args, **named)

        return called

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        self.waited, began = False, time.perf_counter()
        yield
        if self.waited and "in_time" not in getattr(item, "fixturenames", ()):
            with _WAITING.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"test": item.nodeid, "seconds": time.perf_counter() - began}) + "\n")


class _Stopped:
    """Stops this process once in each test that waits."""

    def __init__(self) -> None:
        lines = [json.loads(line) for line in _WAITING.read_text(encoding="utf-8").splitlines()]
        self._seconds = {one["test"]: one["seconds"] for one in lines}
        command = [sys.executable, "-c", _STOPPER, str(os.getpid()), str(STOPPED_S)]
        self._stopper = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0)

    def _tell(self, line: str) -> None:
        assert self._stopper.stdin
        self._stopper.stdin.write(f"{line}\n".encode())

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        if (seconds := self._seconds.get(item.nodeid)) is not None:
            self._tell(str(random.random() * seconds))
        yield
        self._tell("end")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._seconds]


def pytest_configure(config: pytest.Config) -> None:
    """What a process of the suite does by this plugin; the one that only hands out tests does nothing."""
    stands_still = os.environ.get(_STANDS_STILL, "")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(_Stopped() if stands_still else _Watched())


def main() -> int:
    """Both runs; the status of the second."""
    _WAITING.parent.mkdir(exist_ok=True)
    _WAITING.unlink(missing_ok=True)
    for stands_still in ("", "1"):
        command = [sys.executable, "-m", "pytest", *_SUITE, "-n", _AT_ONCE[stands_still], *(sys.argv[1:] or _WHERE)]
        status = subprocess.run(command, env=os.environ | {_STANDS_STILL: stands_still}, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main())
