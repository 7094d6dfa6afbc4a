"""A body is JSON as the strictest parser has it, wherever it is odd: a name, a drug's words, a member nobody reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hooks import request as hook_request
from cds_service.tenants.tenant import Limits
from cds_service.trust import json_limits
from cds_service.trust.errors import BadRequest

LIMITS = Limits()
OFFERED = ("order-select", "order-sign")
HERE = "HERE"
BACKSLASH = chr(92)


def a_body(**resource: Any) -> dict[str, Any]:
    draft = {"resourceType": "ServiceRequest", "id": "o", "note": HERE}
    return {
        "hook": "order-sign",
        "hookInstance": "1",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "p", "name": [{"text": HERE}], **resource},
            "conditions": {"resourceType": "Bundle", "entry": [{"resource": {"x": HERE}}], "pad": "y" * 9_000},
        },
        "extension": {"com.example": HERE},
    }


PLACES = range(4)


def body_with(literal: bytes, place: int) -> bytes:
    """The body with this literal in one of the places where a string can stand."""
    text = json.dumps(a_body()).encode()
    parts = text.split(b'"HERE"')
    assert len(parts) == len(PLACES) + 1
    return b'"HERE"'.join(parts[: place + 1]) + literal + b'"HERE"'.join(parts[place + 1 :])


def read(body: bytes) -> hook_request.HookRequest:
    json_limits.check(body, LIMITS)
    return hook_request.read_request(body, offered=OFFERED)


def escaped(*codes: str) -> bytes:
    return b'"a' + "".join(f"{BACKSLASH}u{code}" for code in codes).encode() + b'"'


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "literal",
    [
        b'"\xff"',
        b'"\xc3"',
        b'"\xed\xa0\x80"',
        b'"\xf8\x88\x80\x80\x80"',
        b'"\x00"',
        b'"\x01"',
        escaped("0000"),
        escaped("d800"),
        escaped("DBFF"),
        escaped("dc00"),
        escaped("d83d", "0041"),
        escaped("d83d", "d83d"),
        b"1e309",
        b"-1E309",
        b"1e+4000",
        b"0.1e99999",
        b"1e00000309",
        b"12345678901234567890123456789012e300",
        b"9" * 33,
        b"1." + b"0" * 31,
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"01",
        b"+1",
        b".5",
        b"// no comments\n1",
        b"'a'",
        b'{"a": 1,}',
        b"[" * 70 + b"]" * 70,
        b'"' + b"x" * 65_537 + b'"',
    ],
    ids=lambda literal: repr(literal[:24]),
)
def test_P8_what_strict_json_does_not_have_is_refused_wherever_it_stands(literal, place):
    with pytest.raises(BadRequest) as refused:
        read(body_with(literal, place))
    assert refused.value.status == 400


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "literal",
    [
        '"ä€😀"'.encode(),
        escaped("d83d", "de00"),
        escaped("00e4", "0001", "ffff"),
        f'"{BACKSLASH}{BACKSLASH}u0000 {BACKSLASH}{BACKSLASH}ud800"'.encode(),
        b'"1e309, 2"',
        b'"urn:oid:1.2.276.0.76.3.1.131.1.5.433.10.12345678901234"',
        b'"3f2504e0-4f89-41d3-9a0c-0305e82c3301 7e4123-45678901-1e999"',
        b"1e308",
        b"-1.5E-300",
        b"1e-999",
        b"[1e5, 0.00000000001, 12345678901234]",
        b"9" * 32,
    ],
    ids=lambda literal: repr(literal[:24]),
)
def test_what_strict_json_has_is_read_wherever_it_stands(literal, place):
    assert read(body_with(literal, place)).context.patient_id == "p"


def test_a_byte_order_mark_and_another_encoding_are_refused():
    for body in (
        b"\xef\xbb\xbf" + json.dumps(a_body()).encode(),
        *map(json.dumps(a_body()).encode, ("utf-16", "utf-32")),
    ):
        with pytest.raises(BadRequest):
            read(body)


TWICE = {
    "envelope": '{"hook": "order-sign", "hook": "order-sign"',
    "prefetch": '{"prefetch": {}',
    "unknown": '{"x": 1, "x": 1',
    "escaped": f'{{"ho{BACKSLASH}u006fk": "order-sign"',
    "extension": '{"y": {"a": [{"b": 1, "b": 1}]}',
    "with a colon": '{"a:b": 1, "a:b": 2, "c:": 3',
}


@pytest.mark.parametrize("start", TWICE.values(), ids=TWICE)
def test_a_name_that_is_there_twice_is_refused(start):
    with pytest.raises(BadRequest) as refused:
        read((start + ", " + json.dumps(a_body())[1:]).encode())
    assert "repeated" in str(refused.value.diagnostics)


@pytest.mark.parametrize(
    "key", ["patient", "conditions", "draftOrders", "userId", "resourceType", "note", "id", "birthDate"]
)
def test_a_name_that_is_there_twice_is_refused_in_context_keys_and_patient(key):
    text = json.dumps(a_body(birthDate="1950-01-01"))
    twice = text.replace(f'"{key}"', f'"{key}": null, "{key}"', 1)
    assert twice != text
    with pytest.raises(BadRequest) as refused:
        read(twice.encode())
    assert "repeated" in str(refused.value.diagnostics)


def test_beside_an_invalid_byte_a_repeated_name_is_no_less_refused():
    with pytest.raises(BadRequest):
        read(b'{"hook": "order-sign", "note": "\xff", ' + json.dumps(a_body()).encode()[1:])


def test_colons_in_names_and_members_that_nobody_reads_are_no_repetition():
    assert read(json.dumps(a_body() | {"a:b": {"c:d": ":"}, "zz": [":", {"e": ":"}]}).encode())
    odd = a_body()
    odd["prefetch"]["x:y"] = {"a": 1}
    assert read(json.dumps(odd).encode())


VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=6) | st.just(":"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.just("a:"), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.dictionaries(st.text(max_size=4), VALUES, max_size=4)
)
def test_no_body_without_a_repeated_name_is_refused_for_one(extra, prefetch):
    body = json.dumps({**extra, **a_body(), "prefetch": prefetch}, ensure_ascii=False)
    if BACKSLASH in body or any("\ud800" <= one <= "\udfff" for one in body):
        return
    hook_request.read_request(body.encode(), offered=OFFERED)


AROUND = (-40, -33, -20, -17, -16, -9, -8, -7, -5, -4, -3, -2, -1, 0, 1)


def a_body_with_the_literal_at(place: int, literal: bytes) -> bytes:
    """A body in which this literal begins at that byte, and the same again in the next block."""
    text = json.dumps(a_body()).encode()
    head = text[:-1] + b', "before": ["'
    room = place - len(head) - len(b'", ')
    return head + (b'y", "' * (room // 5 + 1))[: room - room % 5] + b" " * (room % 5) + b'", ' + literal + b"]}"


@pytest.mark.parametrize("offset", AROUND)
@pytest.mark.parametrize(
    ("literal", "is_read"),
    [
        (b"1e309", False),
        (b"-12.5E+4000", False),
        (b"9" * 33, False),
        (b"1e308", True),
        (b"9" * 32, True),
        (b"[" * 70 + b"]" * 70, False),
        (b"[" * 50 + b"]" * 50, True),
        ('"€😀"'.encode(), True),
        ('"€😀'.encode()[:-1] + b'"', False),
    ],
    ids=lambda one: repr(one[:14]) if isinstance(one, bytes) else "read" if one else "refused",
)
def test_what_stands_where_one_block_ends_is_seen_as_anywhere_else(literal, is_read, offset):
    place = json_limits._BLOCK + offset
    body = a_body_with_the_literal_at(place, literal)
    assert body.index(literal) == place
    if is_read:
        assert read(body).context.patient_id == "p"
    else:
        with pytest.raises(BadRequest):
            read(body)
