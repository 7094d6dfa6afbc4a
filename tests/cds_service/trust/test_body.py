"""Bodies: large, inflated, slow and malformed ones are refused with the right status."""

import gzip
import io
import json
import socket
import threading
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.hooks import request as hook_request
from cds_service.tenants.tenant import Limits
from cds_service.trust import body, json_limits
from cds_service.trust.errors import BadRequest, NotJson, TooLarge, TooSlow

LIMITS = Limits(body_bytes=1000, inflated_bytes=5000)


def read(data: bytes, encoding: str = "", length: int | None = None) -> bytes:
    return body.read_body(body.Sent(io.BytesIO(data), length, encoding), LIMITS).body


def test_a_body_up_to_the_limit_is_read_and_one_byte_more_is_not():
    assert read(b"x" * 1000) == b"x" * 1000
    with pytest.raises(TooLarge):
        read(b"x" * 1001)
    with pytest.raises(TooLarge):
        read(b"", length=1001)


def laboratory_results(number: int) -> bytes:
    """A Bundle as a server sends it: each result with its narrative, which says the same again as HTML."""
    entries = []
    for one in range(number):
        value, day = f"{100 + one * 7 % 60}", f"2026-11-{1 + one % 28:02}"
        narrative = (
            '<div xmlns="http://www.w3.org/1999/xhtml"><p class="res-header-id"><b>Generated Narrative: Observation</b>'
            f'</p><p><b>status</b>: Final</p><p><b>category</b>: <span title="Codes:{HL7}category laboratory">'
            'Laboratory</span></p><p><b>code</b>: <span title="Codes:http://loinc.org 718-7">Hemoglobin</span></p>'
            f"<p><b>value</b>: {value} g/L</p><p><b>effective</b>: {day}</p></div>"
        )
        entries.append(
            {
                "resource": {
                    "resourceType": "Observation",
                    "id": f"lab-{one}",
                    "text": {"status": "generated", "div": narrative},
                    "status": "final",
                    "category": [{"coding": [{"system": f"{HL7}category", "code": "laboratory"}]}],
                    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7", "display": "Hemoglobin"}]},
                    "subject": {"reference": "Patient/demo"},
                    "effectiveDateTime": f"{day}T08:00:00Z",
                    "valueQuantity": {
                        "value": int(value), "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L",
                    },
                }
            }
        )  # fmt: skip
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries}).encode()


HL7 = "http://terminology.hl7.org/CodeSystem/observation-"


@pytest.mark.parametrize("number", [1, 100, 1_000, 4_000])
def test_ordinary_fhir_is_read_however_small_it_was_sent(number):
    whole = laboratory_results(number)
    sent = gzip.compress(whole)
    assert number < 100 or len(whole) > 20 * len(sent), "it is what the old limit of 20 times refused"
    assert body.read_body(body.Sent(io.BytesIO(sent), len(sent), "gzip"), Limits()).body == whole


@pytest.mark.parametrize("size", [5_000, 5_001, 50_000_000])
def test_gzip_is_read_up_to_the_size_that_it_may_inflate_to(size):
    sent = gzip.compress(b"\0" * size)[: LIMITS.body_bytes] if size > 10_000 else gzip.compress(b"\0" * size)
    if size <= LIMITS.inflated_bytes:
        assert read(sent, "gzip") == b"\0" * size
        return
    with pytest.raises(TooLarge, match="inflates"):
        read(sent, "gzip")


def test_a_tenant_that_names_a_ratio_has_it():
    limits = Limits(inflation_ratio=20)
    sent = gzip.compress(b"\0" * 4000)
    with pytest.raises(TooLarge):
        body.read_body(body.Sent(io.BytesIO(sent), len(sent), "gzip"), limits)


def test_inflating_takes_no_longer_than_its_time(monkeypatch):
    monkeypatch.setattr(body, "INFLATE_TIMEOUT_S", -1.0)
    with pytest.raises(TooSlow):
        read(gzip.compress(b"hello"), "gzip")


def test_whatever_is_inflated_ends_in_its_time():
    """Blocks of nothing, as many as a body may hold: they inflate to nothing, and take no time either."""
    sent = gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * (1024 * 1024 - 2)
    began = time.thread_time()
    with pytest.raises(BadRequest):
        body.read_body(body.Sent(io.BytesIO(sent), len(sent), "gzip"), Limits())
    assert time.thread_time() - began < body.INFLATE_TIMEOUT_S


def test_an_unknown_encoding_is_415_and_broken_gzip_400():
    with pytest.raises(NotJson):
        read(b"x", "br")
    whole = gzip.compress(b"hello")
    for broken in (b"not gzip", whole[:-3], whole + b"x"):
        with pytest.raises(BadRequest):
            read(broken, "gzip")


def test_a_trickle_is_ended(monkeypatch):
    monkeypatch.setattr(body, "READ_TIMEOUT_S", 0.3)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.1):
                theirs.send(b"x")

        sender = threading.Thread(target=trickle)
        sender.start()
        with ours.makefile("rb", buffering=0) as stream, pytest.raises(TooSlow):
            body.read_body(body.Sent(stream, None, "", ours), LIMITS)
        stop.set()
        sender.join()


DEFAULT = Limits()


def looked_at(text):
    """As calls.py does: the limits, then the request, in which no name may be there twice."""
    json_limits.check(text, DEFAULT)
    try:
        hook_request.read_request(text, offered=())
    except BadRequest as error:
        if error.diagnostics == "names that are not repeated":
            raise


DIGITS = st.text("0123456789", min_size=1, max_size=39)
NUMBERS = st.tuples(
    st.sampled_from(["", "-"]),
    DIGITS.map("1{}".format),
    st.one_of(st.just(""), DIGITS.map(".{}".format)),
    st.sampled_from(["", "e+7"]),
).map("".join)
OIDS = st.lists(st.integers(0, 999_999), min_size=2, max_size=20).map(lambda arcs: ".".join(map(str, arcs)))


@given(st.lists(st.tuples(st.booleans(), NUMBERS), max_size=8), st.lists(OIDS, max_size=8))
def test_a_long_number_is_found_wherever_it_stands_and_an_identifier_is_none(values, oids):
    told = [f'"{value}"' if quoted else value for quoted, value in values]
    body = f'{{"a": [{", ".join([*told, *(f"{chr(34)}urn:oid:{oid}{chr(34)}" for oid in oids)])}]}}'.encode()
    if any(not quoted and len(value) > 32 for quoted, value in values):
        with pytest.raises(BadRequest, match="that is read"):
            json_limits.check(body, DEFAULT)
    else:
        json_limits.check(body, DEFAULT)


@given(st.lists(st.tuples(st.sampled_from('ab\\"'), st.integers(0, 40)), max_size=12))
def test_a_long_string_is_found_however_its_quotation_marks_are_escaped(parts):
    value = "".join(part * times for part, times in parts)
    body = json.dumps([value, "x", value]).encode()
    written = len(json.dumps(value)) - 2
    limits = msgspec.structs.replace(DEFAULT, string_characters=64)
    if written > 64:
        with pytest.raises(BadRequest):
            json_limits.check(body, limits)
    else:
        json_limits.check(body, limits)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 65 + b"]" * 65,
        b'{"a": "' + b"x" * 65_537 + b'"}',
        b'{"a": "' + b'\\"' * 33_000 + b'"}',
        b'{"a": ' + b"1" * 33 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"context": {"patientId": "1", "patientId": "2"}, "prefetch": {}}',
        b'{"prefetch": {"patient": null, "patient": {}}}',
        b'{"prefetch": {"a": 1}, "prefetch": {"a": 2}}',
        b'{"hook": "x", "prefetch": {"a": {"b": [1, 2]}}, "hook": "y"}',
        b"[" + b'{"resourceType":"X"},' * 5001 + b"{}]",
    ],
    ids=["depth", "string", "escaped", "number", "root", "context", "key", "prefetch", "around", "resources"],
)
def test_R_G10_json_bombs_and_repeated_names_are_refused(text):
    with pytest.raises(BadRequest):
        looked_at(text)


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 64 + b"]" * 64,
        b'{"a": "' + b"[" * 5000 + b'"}',
        b'{"a": "' + b"x" * 60_000 + b'", "b": "' + b"y" * 60_000 + b'"}',
        b'{"a": "' + b"1" * 100 + b'"}',
        b'{"prefetch": {"a": {"x": 1, "X": 2}, "b": null}, "context": {"a": {"b": 1}, "c": {"b": 1}}}',
        b"not json at all",
        b"",
    ],
)
def test_what_is_within_the_limits_or_no_json_is_left_to_the_reader(text):
    looked_at(text)


def test_a_body_that_ends_before_its_declared_length_is_refused():
    assert read(b"x" * 10, length=10) == b"x" * 10
    assert read(b"x" * 10 + b"the next request", length=10) == b"x" * 10
    with pytest.raises(BadRequest, match="whole"):
        read(b"x" * 9, length=10)
