"""Whole responses over HTTP for each vendor profile, held as files; and the shapes that the public sandbox sends.

`python -m tests.acceptance.test_dialects` writes the files anew: read them before they are committed.
"""

from __future__ import annotations

import json
import re
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.advice.outcomes import BY_NAME
from cds_service.cards.dialects import DIALECTS, EPIC_PREFERENCE_LIST
from tests.acceptance.requests import (
    CPT,
    FUSION,
    a_condition,
    a_functional_status,
    a_request,
    a_result,
    an_asa_class,
    an_order,
    bundle,
)
from tests.conformance.conftest import PUBLIC, SERVICE, a_tenant_file, a_token, an_app

FOLDER = Path(__file__).parent / "golden_responses"
VENDORS = ("epic", "oracle", "generic", "sandbox")
# The tenants whose responses are held: each vendor's, and one that asked for plain text.
TENANTS = {vendor: {"vendor_profile": vendor} for vendor in VENDORS} | {
    "generic-plain": {"vendor_profile": "generic", "card_text": "plain"}
}
ORDERED = {"epic": (EPIC_PREFERENCE_LIST, "EAP-{}"), "oracle": ("urn:oid:1.2.3", "{}"), "generic": ("urn:site", "{}")}
_DAY = r"\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)( \d{4})?( \d\d:\d\d UTC)?"


def order_map(folder: Path, vendor: str) -> Path:
    """A site's own codes for HbA1c and ferritin; the sandbox takes the standard ones."""
    system, code = ORDERED.get(vendor, ("http://loinc.org", "{}"))
    tests = ("4548-4", "2276-4")
    elements = [{"code": one, "target": [{"code": code.format(one), "equivalence": "equal"}]} for one in tests]
    path = folder / f"{vendor}.json"
    group = [{"source": "http://loinc.org", "target": system, "element": elements}]
    path.write_text(json.dumps({"resourceType": "ConceptMap", "group": group}), encoding="utf-8")
    return path


def an_ehr(folder: Path, name: str) -> FlaskClient:
    """A production tenant of this vendor, with a registered risk profile and its own order codes."""
    vendor = TENANTS[name]["vendor_profile"]
    members: dict[str, Any] = TENANTS[name] | {
        "order_maps": [str(order_map(folder, vendor))],
        "advice": {"smart_launch_url": f"{PUBLIC}/smart/launch"},
    }
    if vendor == "sandbox":
        members |= {"environment": "dev"}
    return an_app(folder, tenants=a_tenant_file(folder / "tenants", **members)).test_client()


def the_request() -> dict[str, Any]:
    """Mr. B with diabetes and anaemia before his fusion; HbA1c and ferritin were never done."""
    return a_request(
        conditions=bundle(a_condition("E11.9")),
        labs=bundle(a_result("2160-0", 1.1, "mg/dL"), a_result("718-7", 10.9, "g/dL")),
        observations=bundle(an_asa_class(), a_functional_status()),
    )


def response(folder: Path, name: str) -> dict[str, Any]:
    answer = an_ehr(folder, name).post(SERVICE, json=the_request(), headers=a_token())
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json or {}
    return told


def lasting(told: Any, name: str = "") -> Any:
    """The response without what is new in every call: ids, days, and the discrete result, which has its own tests."""
    if isinstance(told, dict):
        return {key: lasting(value, key) for key, value in told.items() if key != "extension"}
    if isinstance(told, list):
        return [lasting(value) for value in told]
    if name in ("uuid", "appContext"):
        return f"<{name}>"
    return re.sub(_DAY, "<day>", told) if isinstance(told, str) else told


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return {name: response(tmp_path_factory.mktemp(name), name) for name in TENANTS}


@pytest.mark.parametrize("name", TENANTS)
def test_the_response_is_as_it_was_agreed(responses: dict[str, Any], name: str) -> None:
    agreed = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert lasting(responses[name]) == agreed


@pytest.mark.parametrize("name", TENANTS)
def test_one_card_that_fits_its_panel_with_one_action_for_each_order(responses: dict[str, Any], name: str) -> None:
    (card,) = responses[name]["cards"]
    assert len(card["detail"]) <= DIALECTS[TENANTS[name]["vendor_profile"]].detail_limit
    assert len(card.get("suggestions", ())) <= 3
    several = DIALECTS[TENANTS[name]["vendor_profile"]].several_actions
    for one in card.get("suggestions", ()):
        assert len(one["actions"]) == 1 or (several and "these blood tests" in one["label"])
    assert card.get("selectionBehavior") == ("any" if card.get("suggestions") else None)
    assert not any(one.get("isRecommended") for one in card.get("suggestions", ()))
    assert len(card["links"]) <= 2
    assert card["indicator"] in ("info", "warning")


@pytest.mark.parametrize("name", TENANTS)
def test_the_topic_is_the_same_in_every_call(responses: dict[str, Any], name: str) -> None:
    """Epic keys the acknowledgement by it: alphanumeric, at most 100 characters, never changing."""
    topic = responses[name]["cards"][0]["source"]["topic"]
    assert topic["code"] == "SurgRiskSpine"
    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])


@pytest.mark.parametrize("name", TENANTS)
def test_links_are_fixed_and_name_nobody(responses: dict[str, Any], name: str) -> None:
    for link in responses[name]["cards"][0]["links"]:
        assert link["url"] in {f"{PUBLIC}/smart/launch", *(f"{PUBLIC}/models/{outcome}" for outcome in BY_NAME)}
        assert "appContext" not in link or (link["type"] == "smart" and uuid.UUID(link["appContext"]))


def test_epic_orders_by_its_preference_list_and_oracle_is_given_no_button(responses: dict[str, Any]) -> None:
    suggestions = responses["epic"]["cards"][0]["suggestions"]
    codings = [one["actions"][0]["resource"]["code"]["coding"][0] for one in suggestions]
    assert {one["system"] for one in codings} == {EPIC_PREFERENCE_LIST}
    oracle = responses["oracle"]["cards"][0]
    assert "suggestions" not in oracle
    assert "overrideReasons" not in oracle
    assert all("appContext" not in link for link in oracle["links"])


def test_plain_text_is_the_same_card_without_its_markdown(responses: dict[str, Any]) -> None:
    (marked,), (plain,) = (lasting(responses[name])["cards"] for name in ("generic", "generic-plain"))
    assert "**" in marked["detail"]
    assert not any(mark in plain["detail"] for mark in ("*", "#", "`", "_", "]("))
    assert plain == marked | {"detail": marked["detail"].replace("**", "")}


# What the public sandbox and careless clients send (cds-hooks/sandbox 3b7e255).


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return an_ehr(tmp_path_factory.mktemp("shapes"), "sandbox")


def reason(told: Any) -> str | None:
    """Why there is no card; None where there is one."""
    assert told.status_code == 200
    if told.json["cards"]:
        return None
    return str(told.json["extension"]["io.surgical-risk.silence"]["reason"])


def without_type(request: dict[str, Any]) -> dict[str, Any]:
    del request["context"]["draftOrders"]["type"]
    for value in request["prefetch"].values():
        if isinstance(value, dict):
            value.pop("type", None)
    return request


def no_entries(request: dict[str, Any]) -> dict[str, Any]:
    request["context"]["draftOrders"].pop("entry")
    return request


IMAGING = an_order((CPT, "72148"), order_id="pama")
DRUG = {
    "resourceType": "MedicationRequest", "id": "rx", "status": "draft", "intent": "order",
    "medicationCodeableConcept": {"text": "Metformin"},
    "subject": {"reference": "Patient/pt-b"},
}  # fmt: skip
AS_OBJECT = {"coding": [{"system": "http://snomed.info/sct", "code": "387713003"}]}
IMAGING_AS_OBJECT = {"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}
SHAPES: dict[str, tuple[dict[str, Any], str | None]] = {
    "an order without coding": (a_request(an_order() | {"code": {"text": "Lumbar fusion"}}), "unmapped-procedure"),
    "an order without code": (a_request(an_order() | {"code": {}}), "unmapped-procedure"),
    "a Bundle without type": (without_type(a_request()), None),
    "a category as an object": (a_request(an_order() | {"category": AS_OBJECT}), None),
    "no drafts": (no_entries(a_request()), "selection-unresolved"),
    "no selections that match": (a_request(selections=["MedicationRequest/other"]), "selection-unresolved"),
    "a drug": (a_request(DRUG), "not-surgical"),
    "imaging by CPT": (a_request(IMAGING), "not-surgical"),
    "imaging with a category as an object": (a_request(IMAGING | {"category": IMAGING_AS_OBJECT}), "not-surgical"),
    "a drug beside the fusion": (a_request(an_order(FUSION), DRUG), None),
    "a condition's category as an object": (
        a_request(conditions=bundle(a_condition("E11.9") | {"category": AS_OBJECT})), None),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shapes_of_the_sandbox_are_answered_properly(sandbox: FlaskClient, shape: str) -> None:
    request, expected = SHAPES[shape]
    told = sandbox.post(SERVICE, json=request | {"hookInstance": str(uuid.uuid4())}, headers=a_token())
    assert reason(told) == expected


@pytest.mark.parametrize("drafts", [None, [], "Bundle", {"resourceType": "Parameters"}])
def test_drafts_that_are_no_bundle_are_422_and_never_500(sandbox: FlaskClient, drafts: Any) -> None:
    request = a_request()
    request["context"]["draftOrders"] = drafts
    told = sandbox.post(SERVICE, json=request, headers=a_token())
    assert told.status_code == 422
    assert "cards" not in told.json


def test_signing_without_any_draft_is_silence(sandbox: FlaskClient) -> None:
    request = no_entries(a_request()) | {"hook": "order-sign"}
    del request["context"]["selections"]
    told = sandbox.post(SERVICE, json=request, headers=a_token())
    assert reason(told) == "not-surgical"


def main() -> None:
    """Write each tenant's response."""
    FOLDER.mkdir(exist_ok=True)
    for name in TENANTS:
        with tempfile.TemporaryDirectory() as folder:
            told = lasting(response(Path(folder), name))
        (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
