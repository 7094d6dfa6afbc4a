"""The fields of a protobuf message as they lie in its bytes, read without a library and never beyond its end.

Source: https://protobuf.dev/programming-guides/encoding/. The service runs without the package `onnx`, and bytes that
nobody vouches for are looked at before onnxruntime opens them.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10


class MessageError(ValueError):
    """Bytes that are no protobuf message."""


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field, in order: a number of a varint, the bytes of anything else."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        length = _FIXED.get(kind)
        if kind == LENGTH:
            length, at = _varint(message, at)
        if length is None or length > end - at:
            raise MessageError("not a protobuf message")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(message):
            break
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise MessageError("not a protobuf message")


def text(value: int | memoryview) -> str:
    """A field that is a string; raises MessageError for another."""
    if isinstance(value, int):
        raise MessageError("not a protobuf message")
    return bytes(value).decode("utf-8", "replace")


def message(value: int | memoryview) -> memoryview:
    """A field that is a message; raises MessageError for another."""
    if isinstance(value, int):
        raise MessageError("not a protobuf message")
    return value
