"""A tenant holds at most its share of the threads, and what tells of the service's health waits for nobody."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import pytest

from cds_service.web.http_lanes import DURING, OPERATIONS, SIGN_IN, Lanes, lane_of
from tests.cds_service.trust.signing import token


@dataclass
class Call:
    lane: str
    until: float = 2.0


def head(path: str = "/cds-services/surgical-risk", authorization: str = "") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", *([f"Authorization: {authorization}"] if authorization else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def unsigned(claims: object) -> str:
    segment = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"Bearer eyJ9.{segment}.eyJ9"


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/health?x=1"])
def test_operations_have_a_lane_of_their_own(path: str) -> None:
    assert lane_of(head(path)) == OPERATIONS
    assert lane_of(b"\r\n" + head(path, f"Bearer {token()}")) == OPERATIONS


@pytest.mark.parametrize("path", ["/healthy", "/health/x", "/cds-services/health"])
def test_no_other_path_has(path: str) -> None:
    assert lane_of(head(path)) == ""


def test_sign_ins_have_one_lane_together() -> None:
    assert lane_of(head("/smart/launch?iss=a")) == lane_of(head("/smart/callback?state=b")) == SIGN_IN


def test_what_is_recorded_of_operations_and_their_pages_have_lanes_of_their_own_by_hospital() -> None:
    sent = head("/during/general-hospital/observations", f"Bearer {token()}")
    pages = [sent.replace(b"POST", b"GET").replace(b"observations", part) for part in (b"", b"x?hold=1")]
    assert lane_of(sent) == f"{DURING} general-hospital sent"
    assert {lane_of(one) for one in pages} == {f"{DURING} general-hospital pages"}
    assert lane_of(head("/below/during/other")) == f"{DURING} other sent"
    assert not lane_of(head("/during-x/y")).startswith(DURING)


def test_a_lane_of_operations_holds_its_small_share() -> None:
    lanes: Lanes[Call] = Lanes(1)
    lanes.share(8, shared=True)
    assert [lanes.enter(Call(f"{DURING} a {kind}")) for kind in ("pages", "pages", "sent")] == [True, False, True]
    assert [lanes.enter(Call("a")) for _ in range(5)] == [True] * 4 + [False]


def test_two_tokens_of_one_client_are_in_one_lane_and_of_two_in_two() -> None:
    assert lane_of(head(authorization=f"Bearer {token()}")) == lane_of(head(authorization=f"bearer  {token()}"))
    assert lane_of(head(authorization=f"Bearer {token(iss='https://other')}")) != lane_of(
        head(authorization=f"Bearer {token()}")
    )
    assert lane_of(head(authorization=unsigned({"iss": "a", "tenant": "b"}))) != lane_of(
        head(authorization=unsigned({"iss": "a", "tenant": "c"}))
    )


@pytest.mark.parametrize(
    "authorization",
    ["Basic x", "Bearer", "Bearer a.b.c", unsigned([]), unsigned({"iss": 7}), "Bearer " + "a" * 60_000 + ".b.c"],
)
def test_what_names_nobody_has_the_common_lane(authorization: str) -> None:
    assert lane_of(head(authorization=authorization)) == ""


def test_a_lane_s_name_is_short_whatever_a_token_says() -> None:
    assert len(lane_of(head(authorization=unsigned({"iss": "x" * 9_000, "tenant": "y" * 2_000})))) <= 512


def test_no_more_than_its_share_is_under_way_and_the_rest_comes_in_order() -> None:
    lanes: Lanes[Call] = Lanes(2)
    first, second, third, fourth = (Call("a") for _ in range(4))
    assert [lanes.enter(one) for one in (first, second, third, fourth)] == [True, True, False, False]
    assert lanes.enter(Call("b"))  # another tenant's call waits for nobody
    assert lanes.leave("a") is third
    assert not lanes.enter(Call("a"))
    assert lanes.leave("a") is fourth


def test_an_empty_lane_leaves_nothing_behind() -> None:
    lanes: Lanes[Call] = Lanes(1)
    for number in range(1_000):
        assert lanes.enter(Call(str(number)))
        assert lanes.leave(str(number)) is None
    assert (lanes._under_way, lanes._waiting) == ({}, {})


def test_who_waited_too_long_waits_no_more() -> None:
    lanes: Lanes[Call] = Lanes(1)
    late, later = Call("a", until=1.0), Call("a", until=3.0)
    assert lanes.enter(Call("a"))
    lanes.enter(late)
    lanes.enter(later)
    assert lanes.overdue(now=2.0) == [late]
    assert lanes.leave("a") is later
