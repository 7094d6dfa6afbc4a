"""How long one answer may compute: one that goes on too long is stopped and becomes a 503, long before its worker ends.

gunicorn's arbiter ends a worker that is stuck, with every other answer in it. Here a thread of the worker looks at the
processor time of each answer under way and raises `_Stop` in the thread of one that had its share. Python delivers it
between two bytecodes: a loop is stopped at once, one call into C (an expression, a graph of a model) after it returns.
A call that returns never, or that holds the interpreter's lock, is left to the arbiter: tests/test_linear_time.py and
the trial of a site's own models (models_onnx/added/trial.py) keep such calls out. An answer that waits computes nothing
and is never stopped; its deadline ends it.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from cds_service.operations import logs
from cds_service.trust.errors import TooMuchComputing

T = TypeVar("T")
# An answer takes milliseconds of processor time (docs/performance.md); eight of them stuck at once share one lock, so
# the second pair holds for what is also late.
MOST_CPU_S = 1.0
LATE_S, MOST_CPU_LATE_S = 2.0, 0.1
LOOK_S = 0.1
# Between the claim and the delivery lie microseconds; whoever swallowed the exception is not waited for.
_DELIVERY_S = 0.5


class _Stop(BaseException):
    """Not an Exception: what an answer catches on its way does not catch this."""


class _UnderWay(msgspec.Struct, frozen=True):
    """One answer: the clock of its thread's processor time, and both clocks when it began."""

    clock: int
    cpu_s: float
    since: float

    def is_over(self) -> bool:
        """Whether it had its share."""
        cpu_s = time.clock_gettime(self.clock) - self.cpu_s
        return cpu_s > MOST_CPU_S or (time.monotonic() - self.since > LATE_S and cpu_s > MOST_CPU_LATE_S)


class _Watch:
    """The answers under way in this process, by thread. Whoever takes one out of `under_way` decides about it."""

    def __init__(self) -> None:
        self.under_way: dict[int, _UnderWay] = {}
        self._begun = threading.Lock()
        self._process = 0

    def begin(self) -> None:
        """Look from now on, if nobody does yet in this process."""
        if self._process != os.getpid():
            with self._begun:
                if self._process != os.getpid():
                    self.under_way.clear()
                    threading.Thread(target=self._run, name="computing", daemon=True).start()
                    self._process = os.getpid()

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_S)
            for thread, one in list(self.under_way.items()):
                if one.is_over() and self.under_way.pop(thread, None) is not None:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Stop))
                    logs.warn("computing-stopped", seconds=round(time.monotonic() - one.since, 1))


_WATCH = _Watch()


def bounded(compute: Callable[[], T]) -> T:
    """What `compute` returns or raises; TooMuchComputing where it took more processor time than an answer may."""
    try:
        return _watched(compute)
    except _Stop:
        raise TooMuchComputing("The estimate could not be made: it took too much computing.") from None


def _watched(compute: Callable[[], T]) -> T:
    _WATCH.begin()
    thread = threading.get_ident()
    clock = time.pthread_getcpuclockid(thread)
    _WATCH.under_way[thread] = _UnderWay(clock, time.clock_gettime(clock), time.monotonic())
    try:
        result = compute()
    except _Stop:
        raise
    except BaseException:
        _leave(thread)
        raise
    _leave(thread)
    return result


def _leave(thread: int) -> None:
    """Out of the watch; where the watch was faster, its exception is taken here and reaches no later answer."""
    if _WATCH.under_way.pop(thread, None) is None:
        until = time.monotonic() + _DELIVERY_S
        while time.monotonic() < until:
            time.sleep(0.001)
        raise _Stop
