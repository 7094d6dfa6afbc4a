"""Waits for the database that end: those of a request at the request's own time, every other after some seconds."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar

import msgspec

# Of one wait of a request, so that a call (DEC-02: 1.8 s) has time left to say that it waited in vain.
OF_A_REQUEST_S = 1.0
# Of a call of which nobody knows yet whose it is.
OF_A_CALL_S = 1.8

_longest: ContextVar[float] = ContextVar("longest", default=math.inf)
_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


class Patience(msgspec.Struct, frozen=True):
    """How long one statement may take, and how long SQLite is waited for while somebody else writes, in seconds."""

    statement_s: float
    busy_s: float


OF_A_SERVICE = Patience(statement_s=5.0, busy_s=1.0)
# A person waits for it, and what it does may be a month's rows.
OF_A_COMMAND = Patience(statement_s=3_600.0, busy_s=5.0)


def begin() -> None:
    """A request begins in this thread: no wait of it is longer than OF_A_REQUEST_S, until `forget`."""
    _longest.set(OF_A_REQUEST_S)


def ends_at(instant: float) -> None:
    """From now on no wait of this thread goes beyond the instant (monotonic seconds), until `forget`."""
    _ends_at.set(instant)


def forget() -> None:
    """The request is over: what this thread does next has its own time."""
    _longest.set(math.inf)
    _ends_at.set(math.inf)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """No wait within the block is longer, nor goes beyond what the request has left."""
    before = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(before)


def left_s(most: float) -> float:
    """Seconds that a wait may take now: at most `most`, and none where the time is over."""
    return max(0.0, min(most, _longest.get(), _ends_at.get() - time.monotonic()))
