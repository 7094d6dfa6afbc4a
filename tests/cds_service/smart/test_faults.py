"""Each cause of a failed launch has a word of its own: four of them were once "the EHR did not confirm"."""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec
import pytest

from cds_service.smart import launch
from cds_service.smart.faults import AT_FAULT, REFUSED, EhrError, LaunchError
from cds_service.smart.launch import Pending
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust.outbound import OutboundError
from cds_service.trust.replies import Reply
from tests.test_architecture import ROOT

ISSUER = "http://127.0.0.1:9/r4"
SMART = {
    "authorization_endpoint": f"{ISSUER}/a",
    "token_endpoint": f"{ISSUER}/t",
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["sso-openid-connect"],
    "issuer": ISSUER,
    "jwks_uri": f"{ISSUER}/k",
}
GRANTED = {"access_token": "x", "patient": "pt-1", "id_token": "a.b.c"}


class Ehr:
    """A sign-in door whose servers answer what they are given: a reply, or an error to raise."""

    def __init__(self, discovery: Any, token: Any, keys: Any) -> None:
        self.discovery, self.token, self.keys = discovery, token, keys

    def get(self, url: str, **_: Any) -> Reply:
        return _given(self.keys if url.endswith("/k") else self.discovery)

    def post(self, _url: str, _body: bytes, **_: Any) -> Reply:
        return _given(self.token)


def _given(answer: Any) -> Reply:
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, Reply) else Reply(200, {}, msgspec.json.encode(answer))


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


NOT_FOUND, NOT_JSON, RULE = Reply(404, {}, b"{}"), Reply(200, {}, b"<html>"), OutboundError("refused")
# By its word: what the EHR answers at discovery, for the code, and for its keys.
CAUSES: dict[str, tuple[Any, Any, Any]] = {
    "egress-rule": (RULE, None, None),
    "not-smart": (without(SMART, "token_endpoint"), None, None),
    "no-pkce": (without(SMART, "code_challenge_methods_supported"), None, None),
    "discovery-unreachable": (OutboundError("no-answer"), None, None),
    "discovery-status": (NOT_FOUND, None, None),
    "discovery-unreadable": (NOT_JSON, None, None),
    "token-unreachable": (SMART, OutboundError("too-late"), None),
    "token-unreadable": (SMART, NOT_JSON, None),
    "code-refused": (SMART, Reply(400, {}, b'{"error": "invalid_grant"}'), None),
    "no-token": (SMART, without(GRANTED, "access_token"), None),
    "token-without-patient": (SMART, without(GRANTED, "patient"), None),
    "keys-unreachable": (SMART, GRANTED, OutboundError("too-late")),
    "keys-status": (SMART, GRANTED, NOT_FOUND),
    "keys-unreadable": (SMART, GRANTED, NOT_JSON),
    "identity-unproven": (SMART, GRANTED, {"keys": []}),
}
# Told by the routes, and tested there.
BY_ROUTES = {"not-listed", "state-expired", "ehr-refused", "no-code", "another-issuer"}


def test_every_word_has_its_cause() -> None:
    assert {*CAUSES} | BY_ROUTES == {*REFUSED} | {*AT_FAULT}


@pytest.mark.parametrize("word", CAUSES)
def test_a_cause_is_told_by_its_word_and_a_fault_of_the_ehr_as_one(word: str) -> None:
    site = msgspec.structs.replace(open_tenant(demo_tenant("http://127.0.0.1:8000")), sign_in=Ehr(*CAUSES[word]))
    with pytest.raises(LaunchError) as error:
        launch.finish(Pending("demo", ISSUER, "s", "v", "n", ISSUER), "code", site, now=time.time())
    assert error.value.why == word
    assert isinstance(error.value, EhrError) == (word in AT_FAULT)


def test_every_word_stands_in_the_page_for_those_who_look_it_up() -> None:
    told = (ROOT / "docs" / "pages.md").read_text(encoding="utf-8")
    words = {*REFUSED, *AT_FAULT}
    assert [word for word in sorted(words) if f"`{word}`" not in told and not word.startswith("keys-")] == []


def test_a_page_tells_the_word(demo: Any) -> None:
    answer = demo.app.test_client().get("/smart/callback?state=unknown&code=c")
    assert answer.status_code == 400
    assert re.search("Cause: state-expired", answer.text)


@pytest.mark.parametrize(("came", "word"), [("error=access_denied", "ehr-refused"), ("x=y", "no-code")])
def test_an_ehr_that_says_no_is_told_from_one_that_says_nothing(demo: Any, came: str, word: str) -> None:
    browser = demo.app.test_client()
    begun = browser.get("/smart/launch", query_string={"iss": f"{demo.url}/demo/fhir", "launch": "x"})
    state = re.search(r"state=([^&]+)", begun.headers["Location"])
    assert state is not None
    answer = browser.get(f"/smart/callback?{came}&state={state[1]}&iss={demo.url}/demo/fhir")
    assert f"Cause: {word}" in answer.text
