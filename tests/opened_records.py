"""The records that the tests of a module opened are closed when it ends; those of a fixture of all modules stay open.

Hardly any test closes the service that it made. Two threads of each went on for the rest of the run, one of them ten
times a second: of 400 services a process did little else.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from cds_service.records.records import Records

_REAL_INIT, _REAL_CLOSE = Records.__init__, Records.close
_open: dict[int, Records] = {}
_closed: weakref.WeakSet[Records] = weakref.WeakSet()
_staying: list[None] = []


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Which are open is known from here on."""

    def init(self: Records, *given: Any, **named: Any) -> None:
        _REAL_INIT(self, *given, **named)
        if not _staying:
            _open[id(self)] = self

    def close(self: Records, *given: Any, **named: Any) -> None:
        _open.pop(id(self), None)
        if self not in _closed:  # a service closes its record once more as its process ends
            _closed.add(self)
            _REAL_CLOSE(self, *given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Records, "__init__", init)
        patch.setattr(Records, "close", close)
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, None]:
    """What a fixture of the whole run opens outlives the module that asked for it first."""
    if fixturedef.scope not in ("session", "package"):
        yield
        return
    _staying.append(None)
    try:
        yield
    finally:
        _staying.pop()


@contextlib.contextmanager
def closed() -> Iterator[None]:
    """What is opened within is closed at the end, without waiting for what it could not write."""
    before = set(_open)
    yield
    for number in set(_open) - before:
        _open[number].close(0)
