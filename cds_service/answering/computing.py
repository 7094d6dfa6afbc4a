"""How long one answer may compute: one that goes on too long is stopped and becomes a 503, long before its worker ends.

gunicorn's arbiter ends a worker that is stuck, with every other answer in it. Here a thread of the worker looks at the
processor time of each answer under way and raises `_Stop` in the thread of one that had its share. Python delivers it
between two bytecodes: a loop is stopped at once, one call into C (an expression, a graph of a model) after it returns.
Where it is delivered in a callback (of a weak reference, of the collector) Python drops it: so it is raised again until
the answer has ended.
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
# A stop that Python dropped is raised again after this; one that arrives needs microseconds, or one call into C.
_AGAIN_S = 0.2


class _Stop(BaseException):
    """Not an Exception: what an answer catches on its way does not catch this."""


class _UnderWay(msgspec.Struct):
    """One answer: its thread, the clock of that thread's processor time, both clocks when it began, how it ended."""

    thread: int
    clock: int
    cpu_s: float
    since: float
    raised_at: float | None = None
    is_raising: bool = False
    has_ended: bool = False

    def is_over(self) -> bool:
        """Whether it had its share."""
        cpu_s = time.clock_gettime(self.clock) - self.cpu_s
        return cpu_s > MOST_CPU_S or (time.monotonic() - self.since > LATE_S and cpu_s > MOST_CPU_LATE_S)

    def stop(self) -> bool:
        """Raise in its thread, unless it ended or that was done a moment ago; returns whether this was the first."""
        now = time.monotonic()
        if self.raised_at is not None and now - self.raised_at < _AGAIN_S:
            return False
        is_first, self.raised_at = self.raised_at is None, now
        self.is_raising = True
        if not self.has_ended:
            _raise_in(self.thread, _Stop)
        self.is_raising = False
        return is_first

    def end(self) -> None:
        """Nothing more is raised in its thread, and what was raised and did not come yet is taken back."""
        while True:
            try:
                self.has_ended = True
                while self.is_raising:
                    time.sleep(0.0005)
                if self.raised_at is not None:
                    _raise_in(self.thread, None)
                _WATCH.under_way.pop(self.thread, None)
                return
            except _Stop:  # it came on the way out
                continue


def _raise_in(thread: int, what: type[BaseException] | None) -> None:
    """Raise in that thread at its next bytecode; None takes back what has not yet come."""
    told = None if what is None else ctypes.py_object(what)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), told)


class _Watch:
    """The answers under way in this process, by thread."""

    def __init__(self) -> None:
        self.under_way: dict[int, _UnderWay] = {}
        self._begun = threading.Lock()
        self._process = 0

    def begin(self) -> _UnderWay:
        """An answer of this thread; the watch looks from now on, if it does not yet in this process."""
        if self._process != os.getpid():
            with self._begun:
                if self._process != os.getpid():
                    self.under_way.clear()
                    threading.Thread(target=self._run, name="computing", daemon=True).start()
                    self._process = os.getpid()
        thread = threading.get_ident()
        clock = time.pthread_getcpuclockid(thread)
        one = _UnderWay(thread, clock, time.clock_gettime(clock), time.monotonic())
        self.under_way[thread] = one
        return one

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_S)
            for one in list(self.under_way.values()):
                if one.is_over() and one.stop():
                    logs.warn("computing-stopped", seconds=round(time.monotonic() - one.since, 1))


_WATCH = _Watch()


def bounded(compute: Callable[[], T]) -> T:
    """What `compute` returns or raises; TooMuchComputing where it took more processor time than an answer may."""
    one = _WATCH.begin()
    try:
        return _whole(compute, one)
    except _Stop:
        one.end()
        raise TooMuchComputing("The estimate could not be made: it took too much computing.") from None


def _whole(compute: Callable[[], T], one: _UnderWay) -> T:
    try:
        result = compute()
    except _Stop:
        raise
    except BaseException:
        one.end()
        raise
    one.end()
    return result
