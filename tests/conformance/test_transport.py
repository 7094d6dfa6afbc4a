"""A. Transport and JSON."""

import json
import uuid

import pytest

from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE


def strict(body: bytes) -> object:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(body, parse_constant=refuse)


def empties(value: object, path: str = "") -> list[str]:
    """Paths of null, "", [] and {} anywhere in a response."""
    found = [path] if value is None or value in ("", [], {}) else []
    if isinstance(value, dict):
        return found + [each for name, item in value.items() for each in empties(item, f"{path}.{name}")]
    if isinstance(value, list):
        return found + [each for item in value for each in empties(item, f"{path}[]")]
    return found


def test_T_03_T_08_every_body_is_strict_json(http, post):
    for response in (http.get("/cds-services"), post(a_request()), post({}), http.get("/nowhere")):
        assert strict(response.data) is not None


def test_T_04_every_body_is_declared_as_json(http, post):
    for response in (http.get("/cds-services"), post(a_request()), post([]), http.get(SERVICE), post({}, "/x")):
        assert response.content_type.startswith("application/json")


def test_T_05_T_06_no_element_is_null_or_empty(http, post):
    for response in (http.get("/cds-services"), post(a_request()), post(a_request(conditions=...)), post({})):
        assert empties(response.json) == []
    silent = post(a_request() | {"context": a_request()["context"] | {"userId": "Patient/pt-b"}}).json
    assert set(empties(silent)) == {".cards"}


def test_T_07_resources_in_actions_are_objects(post):
    for suggestion in post(a_request()).json["cards"][0].get("suggestions", []):
        for action in suggestion.get("actions", []):
            assert isinstance(action["resource"], dict)
            assert action["resource"]["resourceType"]


def test_T_09_unknown_members_change_nothing(post):
    clean, noisy = a_request(), a_request()
    junk = {"a": [1, {"b": None}]}
    noisy |= {"zzUnknown": junk, "extension": {"com.epic.x": "23"}}
    noisy["context"] |= {"zzUnknown": junk}
    noisy["prefetch"]["conditions"] |= {"zzUnknown": junk}
    told = [post(request).json["cards"][0]["summary"] for request in (clean, noisy)]
    assert told[0] == told[1]


def padded(size: int) -> bytes:
    request = {**a_request(), "hookInstance": str(uuid.uuid4())}
    room = size - len(json.dumps({**request, "padding": []}))
    strings = ["x" * 60_000] * (room // 60_004)
    body = json.dumps({**request, "padding": strings})
    return (body + " " * (size - len(body))).encode()


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_T_10_five_mebibytes_pass_and_one_byte_more_is_413(http, more, status):
    body = padded(5 * 1024 * 1024 + more)
    assert http.post(SERVICE, data=body, content_type="application/json").status_code == status


def test_R_G20_a_production_service_is_come_back_to_by_https_only(http, guarded):
    for path in ("/health", "/cds-services", "/nowhere"):
        assert guarded.get(path).headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "Strict-Transport-Security" not in http.get(path).headers
