"""Every shape of a message is worked out before threads use it: two that do so at once can end the process.

msgspec 0.22.0 works out what a Struct holds at its first use, running Python for it, and another thread that comes in
between reads a half-made table: a segmentation fault, and with the worker go all answers under way
(tests/cds_service/web/test_shapes.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec


def prepare() -> int:
    """Work out every Struct that is imported; returns how many there are. What cannot be decoded is never decoded."""
    count = 0
    for shape in _below(msgspec.Struct):
        count += 1
        with contextlib.suppress(TypeError, ValueError, NameError):
            msgspec.json.Decoder(shape)
    return count


def _below(shape: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in shape.__subclasses__():
        yield one
        yield from _below(one)
