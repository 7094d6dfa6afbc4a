"""A name that is there twice is found however its object is written; one that is there once never is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hooks.request import _Sent
from cds_service.trust.errors import BadRequest
from cds_service.trust.json_names import SMALL_BYTES, refuse_repeated_anywhere, refuse_repeated_names

TEXTS = st.text(st.sampled_from('ab"\\{}[],: \n\u00e9u0022'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4),
    max_leaves=12,
)
WAYS = [(",", ":"), (", ", ": "), (" ,\n", "\t: ")]


def written(value: Any, way: tuple[str, str], *, ascii_only: bool) -> str:
    """A list of pairs is an object, whatever its names."""
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        members = [
            f"{json.dumps(name, ensure_ascii=ascii_only)}{way[1]}{written(inner, way, ascii_only=ascii_only)}"
            for name, inner in value
        ]
        return "{" + way[0].join(members) + "}"
    if isinstance(value, list):
        return "[" + way[0].join(written(inner, way, ascii_only=ascii_only) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def repeats(value: Any) -> bool:
    """Whether any object has a name twice."""
    if not isinstance(value, list):
        return False
    pairs = [one for one in value if isinstance(one, tuple)]
    names = [name for name, _ in pairs]
    return len(set(names)) < len(names) or any(repeats(one[1] if isinstance(one, tuple) else one) for one in value)


@given(VALUES, st.sampled_from(WAYS), st.booleans())
def test_a_repeated_name_is_refused_and_no_other(value: Any, way: tuple[str, str], ascii_only: bool) -> None:
    text = written(value, way, ascii_only=ascii_only).encode()
    if repeats(value):
        with pytest.raises(BadRequest):
            refuse_repeated_anywhere(text)
    else:
        refuse_repeated_anywhere(text)


@pytest.mark.parametrize(
    "text",
    [
        rb'{"a":"\u0022\u0022","a":1}',  # two marks that were written as escapes, and two that a decoder drops
        rb'{"\u0061":1,"a":2}',
        rb'[{"a":"\"","b":{"c":1,"c":1}}]',
        rb'{"a":1e999,"b":1,"b":2}',  # out of range for one decoder, not for another
    ],
)
def test_a_name_that_another_spelling_hides_is_found(text: bytes) -> None:
    with pytest.raises(BadRequest):
        refuse_repeated_anywhere(text)


MEMBERS = st.sampled_from(["hook", "context", "extension", "unknown", "prefetch"])
INNER = st.lists(st.tuples(st.sampled_from(["labs", "conditions"]), TEXTS), max_size=3)


@given(st.lists(st.tuples(MEMBERS, INNER), min_size=1, max_size=4), st.sampled_from(WAYS), st.booleans())
def test_in_the_envelope_and_among_the_prefetch_keys_too(
    members: list[tuple[str, Any]], way: tuple[str, str], long: bool
) -> None:
    filler = [("filler", "x" * SMALL_BYTES)] if long else []
    body = written([(name, [*filler, *inner]) for name, inner in members], way, ascii_only=False).encode()
    try:
        sent = msgspec.json.decode(body, type=_Sent)
    except msgspec.ValidationError:
        return  # a prefetch that is a list: refused before
    prefetch = None if sent.prefetch is msgspec.UNSET else sent.prefetch or {}
    envelope = {name: value for name in ("hook", "context", "extension") if (value := getattr(sent, name))}
    names = [name for name, _ in members]
    inner = [[name for name, _ in one] for _, one in members]
    if len(set(names)) < len(names) or any(len(set(one)) < len(one) for one in inner):
        with pytest.raises(BadRequest):
            refuse_repeated_names(body, envelope, prefetch)
    else:
        refuse_repeated_names(body, envelope, prefetch)
