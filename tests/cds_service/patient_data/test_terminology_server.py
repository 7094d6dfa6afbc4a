"""A terminology server is asked once, within its deadline; what cannot be had stops the start or is told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace

from cds_service.patient_data import terminology_server
from cds_service.patient_data.terminology_server import TerminologyError
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant import DataHabits, Tenant, Terminology
from cds_service.tenants.tenant_files import TenantError, demo_tenant, load_file
from fhir_mappings.terminology.code_systems import CPT, SNOMED_CT
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary
from fhir_mappings.terminology.understanding import why_not_understood
from fhir_mappings.terminology.value_sets import STANDARD
from tests.cds_service.patient_data.fhir_server import serving
from tests.cds_service.trust.listener import listening
from tests.patience import tried_again

SITE_URL = "https://hospital.example/ValueSet/dm"
CODES = ("73211009", "44054006", "1481000119100")


def expanding(path: str) -> tuple[int, Any]:
    """Two codes to a page, as a server answers that pages."""
    asked = parse_qs(urlsplit(path).query)
    assert urlsplit(path).path == "/fhir/ValueSet/$expand"
    if asked["url"] != [SITE_URL]:
        return 404, {"resourceType": "OperationOutcome"}
    offset = int(asked["offset"][0])
    codes = [{"system": SNOMED_CT, "code": code} for code in CODES[offset : offset + terminology_server.PAGE]]
    return 200, {"resourceType": "ValueSet", "version": "7", "expansion": {"total": len(CODES), "contains": codes}}


def a_tenant(base_url: str, value_sets: dict[str, str] | None = None, **members: Any) -> Tenant:
    asked = Terminology(
        base_url=base_url, value_sets=value_sets or {"diabetes": SITE_URL}, systems=(SNOMED_CT,), **members
    )
    return replace(demo_tenant("http://127.0.0.1:8000"), terminology=asked)


def test_the_sites_expansion_is_in_force_and_told() -> None:
    with serving(expanding) as server:
        site = open_tenant(a_tenant(server.base))
    assert "diabetes" in site.value_sets.containing(SNOMED_CT, "1481000119100")
    assert "diabetes" not in STANDARD.containing(SNOMED_CT, "1481000119100")
    assert [one.told for one in site.terminology] == ["diabetes 7 with 3 codes of the site"]
    assert len(server.seen) == 1


@pytest.mark.parametrize("replaces", [False, True])
def test_DEC_41_the_sites_expansion_adds_unless_its_file_says_that_it_replaces(replaces: bool) -> None:
    shipped_only = set(STANDARD.codes("diabetes", SNOMED_CT)) - set(CODES)
    assert shipped_only
    with serving(expanding) as server:
        sets = open_tenant(a_tenant(server.base, replaces=replaces)).value_sets
    kept = {code for code in shipped_only if "diabetes" in sets.containing(SNOMED_CT, code)}
    assert kept == (set() if replaces else shipped_only)
    assert all("diabetes" in sets.containing(SNOMED_CT, code) for code in CODES)


def test_DEC_41_a_map_of_a_demo_tenant_leaves_the_demonstrations_codes(tmp_path: Path) -> None:
    concept = "https://surgical-risk.io/fhir/CodeSystem/concept"
    element = {"code": "FUS", "target": [{"code": "spine-fusion", "equivalence": "equivalent"}]}
    group = {"source": "urn:site", "target": concept, "element": [element]}
    document = {"resourceType": "ConceptMap", "name": "N", "version": "1", "contact": [{"name": "A"}], "group": [group]}
    own = tmp_path / "own.json"
    own.write_text(json.dumps(document))
    maps = open_tenant(demo_tenant("http://127.0.0.1:8000", concept_maps=(own,))).maps
    assert maps.translate("urn:site", "FUS") == maps.translate(CPT, "22612") == ((concept, "spine-fusion"),)


REVIEWED_URL = "https://hospital.example/ValueSet/no-idea"
OF_NO_IDEA, ALSO_A_STROKE = "99999990009", "230690007"


def of_no_idea(*codes: str) -> Callable[[str], tuple[int, Any]]:
    """A server that knows the site's list of codes of no idea, and no other set."""

    def answer(path: str) -> tuple[int, Any]:
        if parse_qs(urlsplit(path).query)["url"] != [REVIEWED_URL]:
            return expanding(path)
        contains = [{"system": SNOMED_CT, "code": code} for code in codes]
        return 200, {"resourceType": "ValueSet", "version": "8", "expansion": {"contains": contains}}

    return answer


def test_codes_of_no_idea_that_the_site_reviewed_are_understood_besides_the_shipped_ones() -> None:
    sets = {"reviewed": REVIEWED_URL, "diabetes": SITE_URL}
    with serving(of_no_idea(OF_NO_IDEA)) as server:
        site = open_tenant(a_tenant(server.base, sets))
    words = vocabulary(site.value_sets, EMPTY)
    assert why_not_understood(SNOMED_CT, OF_NO_IDEA, words) is None
    assert why_not_understood(SNOMED_CT, "18347007", words) is None  # shipped
    assert why_not_understood(SNOMED_CT, OF_NO_IDEA, vocabulary(STANDARD, EMPTY)) == "code-not-listed"
    assert [one.told for one in site.terminology] == [
        "diabetes 7 with 3 codes of the site",
        "reviewed 8 with 1 codes of the site",
    ]
    assert site.value_sets.verified().reviewed == {(SNOMED_CT, OF_NO_IDEA)}


def test_a_list_of_no_idea_that_holds_a_code_of_an_idea_stops_the_start() -> None:
    with serving(of_no_idea(OF_NO_IDEA, ALSO_A_STROKE)) as server:
        with pytest.raises(TerminologyError, match="reviewed: the code 230690007 is also in cerebrovascular-disease"):
            open_tenant(a_tenant(server.base, {"reviewed": REVIEWED_URL}))
        kept = open_tenant(a_tenant(server.base, {"reviewed": REVIEWED_URL}, on_failure="keep-shipped"))
    assert kept.value_sets.reviewed == frozenset()
    assert kept.terminology[0].told.startswith("reviewed as shipped 1.")


def test_what_of_snomed_is_understood_is_told_for_each_way() -> None:
    shipped = terminology_server.snomed_told(STANDARD, ())
    assert re.match(r"SNOMED CT by the shipped short lists only: \d,\d{3} codes listed, \d,\d{3} reviewed", shipped)
    assert "Second reader: none yet" in shipped
    assert shipped.endswith("any other SNOMED CT code counts as not understood, and estimates become ranges")
    with serving(of_no_idea(OF_NO_IDEA)) as server:
        site = open_tenant(a_tenant(server.base, {"reviewed": REVIEWED_URL, "diabetes": SITE_URL}))
        away = a_tenant(server.base, {"copd": SITE_URL + "/none"}, on_failure="keep-shipped")
        kept = open_tenant(away)
    way = terminology_server.snomed_told(site.value_sets, site.terminology)
    since = r"since [\d-]+T[\d:]+Z for diabetes, reviewed"
    assert re.match(rf"SNOMED CT by the site's terminology server {since}, the shipped lists for the rest: ", way)
    of_none = terminology_server.snomed_told(kept.value_sets, kept.terminology)
    assert of_none.startswith("SNOMED CT by the shipped short lists only, nothing of it from the terminology server: ")
    assert of_none.split(": ", 1)[1] == shipped.split(": ", 1)[1]


def without_a_total(path: str) -> tuple[int, Any]:
    """As HAPI pages a set that it has not prepared: the total is left out."""
    status, body = expanding(path)
    body["expansion"].pop("total", None)
    return status, body


def heedless(_: str) -> tuple[int, Any]:
    """A server that answers the same whatever is asked."""
    return expanding(f"/fhir/ValueSet/$expand?url={SITE_URL}&offset=0&count=2")


@pytest.mark.parametrize(
    ("answer", "page", "codes", "asked"),
    [(expanding, 2, 3, 2), (without_a_total, 2, 3, 2), (without_a_total, 1, 3, 4), (heedless, 3, 3, 2)],
)
def test_every_page_is_read_to_the_last(
    monkeypatch: pytest.MonkeyPatch, answer: Any, page: int, codes: int, asked: int
) -> None:
    monkeypatch.setattr(terminology_server, "PAGE", page)
    with serving(answer) as server:
        _, told = terminology_server.in_force(a_tenant(server.base), STANDARD)
    assert [one.codes for one in told] == [codes]
    assert len(server.seen) == asked


def test_an_expansion_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminology_server, "PAGE", 1)
    monkeypatch.setattr(terminology_server, "MAX_PAGES", 2)
    with serving(without_a_total) as server, pytest.raises(TerminologyError, match="more than 2 codes"):
        terminology_server.in_force(a_tenant(server.base), STANDARD)


def test_the_token_comes_from_the_environment_variable_that_the_tenant_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSPITAL_TX_TOKEN", "secret")
    with serving(expanding) as server:
        terminology_server.in_force(a_tenant(server.base, token_variable="HOSPITAL_TX_TOKEN"), STANDARD)
    assert server.seen[0][1] == "Bearer secret"


def test_the_token_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    monkeypatch.setenv("HOSPITAL_TX_TOKEN_FILE", str(tmp_path / "token"))
    with serving(expanding) as server:
        terminology_server.in_force(a_tenant(server.base, token_variable="HOSPITAL_TX_TOKEN"), STANDARD)
    assert server.seen[0][1] == "Bearer secret"


def test_a_token_that_is_nowhere_is_told_and_no_call_is_made_without_it() -> None:
    with serving(expanding) as server, pytest.raises(TerminologyError, match="stands neither in HOSPITAL_TX_TOKEN nor"):
        terminology_server.in_force(a_tenant(server.base, token_variable="HOSPITAL_TX_TOKEN"), STANDARD)
    assert server.seen == []


REFUSALS = {
    "answered 404": lambda _: (404, {}),
    "is no JSON": lambda _: (200, b"<html>"),
    "no expansion": lambda _: (200, {"resourceType": "ValueSet"}),
    "is no resource": lambda _: (200, []),
    "empty": lambda _: (200, {"expansion": {"contains": []}}),
    "1 of 5": lambda _: (200, {"expansion": {"total": 5, "contains": [{"system": SNOMED_CT, "code": CODES[0]}]}}),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_set_that_cannot_be_had_stops_the_start_by_name(why: str) -> None:
    with serving(REFUSALS[why]) as server, pytest.raises(TerminologyError, match=f"tenant demo.*diabetes.*{why}"):
        open_tenant(a_tenant(server.base))


@pytest.mark.parametrize("why", REFUSALS)
def test_a_tenant_may_keep_what_is_shipped_and_it_is_told(why: str) -> None:
    with serving(REFUSALS[why]) as server:
        site = open_tenant(a_tenant(server.base, on_failure="keep-shipped"))
    assert site.value_sets is STANDARD
    assert site.terminology[0].told.startswith("diabetes as shipped 1.")
    assert why in site.terminology[0].told


@tried_again
def test_a_server_that_does_not_answer_costs_no_more_than_the_deadline() -> None:
    began = time.monotonic()
    sets = {"diabetes": SITE_URL, "copd": SITE_URL, "cancer": SITE_URL}
    with serving(expanding, delay_s=1.5) as server, pytest.raises(TerminologyError):
        open_tenant(a_tenant(server.base, sets, deadline_s=0.2))
    assert time.monotonic() - began < 2.5


def test_a_server_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(TerminologyError, match="could not be reached"):
        open_tenant(a_tenant("http://127.0.0.1:9/fhir"))


def test_a_set_that_does_not_exist_is_refused_before_anything_is_asked() -> None:
    with listening() as server, pytest.raises(TerminologyError, match="no value set happiness"):
        open_tenant(a_tenant(server.url(), {"happiness": SITE_URL}))
    assert server.connections == 0


def test_a_redirect_to_another_host_is_not_followed() -> None:
    with (
        listening() as elsewhere,
        serving(lambda _: (302, {}), location=elsewhere.url("/x")) as server,
        pytest.raises(TerminologyError, match="diabetes"),
    ):
        open_tenant(a_tenant(server.base))
    assert elsewhere.connections == 0


def test_production_never_asks_a_server_on_loopback() -> None:
    with listening() as server:
        tenant = replace(a_tenant(server.url()), environment="production")
        with pytest.raises(TerminologyError, match="could not be reached"):
            terminology_server.in_force(tenant, STANDARD)
    assert server.connections == 0


SETTING = {"base_url": "https://tx.example.org/r4", "value_sets": {"diabetes": SITE_URL}}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, None),
        ({"base_url": "http://tx.example.org/r4"}, "terminology: .*https only"),
        ({"value_sets": {}}, "names no value set"),
        ({"deadline_s": 60}, "at most 20"),
        ({"on_failure": "shrug"}, "shrug"),
    ],
)
def test_the_setting_is_verified_with_the_tenant_file(
    tmp_path: Path, changed: dict[str, Any], complaint: str | None
) -> None:
    file = {
        "id": "h",
        "environment": "production",
        "public_url": "https://risk.example.org",
        "clients": [{"issuer": "https://e.example.org", "jwks_url": "https://e.example.org/jwks"}],
        "terminology": SETTING | changed,
    }
    path = tmp_path / "h.yaml"
    path.write_text(json.dumps(file))
    if complaint is None:
        assert load_file(path).terminology == Terminology(**SETTING)
        return
    with pytest.raises(TenantError, match=complaint):
        load_file(path)


def test_a_site_without_unverified_codes_has_none_and_asks_for_none() -> None:
    tenant = replace(demo_tenant("http://127.0.0.1:8000"), data=DataHabits(unverified_codes=False, decimal_comma=True))
    site = open_tenant(tenant)
    assert site.value_sets.only_verified
    assert site.rules.decimal_comma
    assert "77140-2" in site.templates["labs"]
    assert "59826-8" not in site.templates["labs"]
    assert "59826-8" in open_tenant(demo_tenant("http://127.0.0.1:8000")).templates["labs"]
