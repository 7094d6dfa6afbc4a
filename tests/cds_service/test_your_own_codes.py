"""docs/your-own-codes.md as it is written: the folder is served, and what it adds stands on card, result and pages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from flask.testing import FlaskClient

from cds_service import tenant_runtime
from cds_service.answer import Knowledge, answer
from cds_service.commands.cli import main
from cds_service.hooks.request import read_request
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.smart import view
from cds_service.smart.profile import Opened
from cds_service.tenants import tenant_files
from models_onnx import registry
from tests.acceptance.requests import LOINC, SNOMED, a_condition, a_request, a_result, bundle
from tests.conformance.conftest import an_app
from tests.patience import PATIENT_ENOUGH
from tests.references import ROOT

PAGE = (ROOT / "docs" / "your-own-codes.md").read_text(encoding="utf-8")
NAME = "thyrotropin"


def files() -> dict[str, str]:
    """Every file of the page: each block of text is of the file that is named last before it."""
    before = PAGE.split("```")
    named = [re.findall(r"`(tenants/[\w./-]+)`", words) for words in before[::2]]
    blocks = [block.partition("\n")[2] for block in before[1::2]]
    return {names[-1]: block for names, block in zip(named, blocks, strict=False) if names}


def written(folder: Path, **others: str) -> Path:
    """The folder of the page; a file given here (`codes`, `laboratory`, `units`, `rows`) replaces its own."""
    named = {"codes": "codes.yaml", "laboratory": "laboratory.yaml", "units": "units.yaml", "rows": "rows/thyroid.yaml"}
    replaced = {f"tenants/site/{named.get(name, name)}": text for name, text in others.items()}
    for name, text in (files() | replaced).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "tenants"


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("own")
    tenants = written(folder)
    with (tenants / "example.yaml").open("a", encoding="utf-8") as file:
        file.write(yaml.safe_dump(PATIENT_ENOUGH))
    return an_app(folder, tenants=tenants).test_client()


def a_value(value: float, unit: str = "m[IU]/L", *, system: str = LOINC, code: str = "3016-3") -> dict[str, Any]:
    found = a_result(code, value, unit, result_id="tsh")
    found["code"]["coding"][0]["system"] = system
    return found


def answered(http: FlaskClient, *labs: dict[str, Any], **prefetch: Any) -> dict[str, Any]:
    sent = a_request(labs=bundle(a_result("2160-0", 1.1, "mg/dL"), *labs), **prefetch)
    answer = http.post("/cds-services/surgical-risk", json=sent)
    assert answer.status_code == 200, answer.text
    (card,) = answer.json["cards"]
    return dict(card)


def inputs(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (result,) = card["extension"].values()
    return {one["name"]: one for one in result["inputs"]}


def test_the_page_names_a_tenant_and_every_kind_of_file() -> None:
    assert sorted(files()) == [
        "tenants/example.yaml",
        "tenants/site/codes.yaml",
        "tenants/site/concept-maps/codes.json",
        "tenants/site/laboratory.yaml",
        "tenants/site/rows/thyroid.yaml",
        "tenants/site/units.yaml",
    ]


@pytest.mark.parametrize(
    "value",
    [
        a_value(14.2),
        a_value(14.2, "u[IU]/mL"),
        a_value(14.2, "mE/l"),
        a_value(14.2, code="11580-8"),
        a_value(14.2, system="https://example.org/lab", code="TSH"),
    ],
    ids=["as told", "another unit", "the site's text for it", "another code", "the site's own code"],
)
def test_an_added_value_is_read_told_and_the_reason_of_an_added_row(http: FlaskClient, value: dict[str, Any]) -> None:
    card = answered(http, value)
    row = next(one for one in card["suggestions"] if "thyroid clinic" in one["label"])
    assert "thyrotropin 14.2 m[IU]/L" in row["label"].replace("mIU/L", "m[IU]/L")
    assert "local protocol ENDO-7" in row["label"]
    told = inputs(card)[NAME]
    assert (told["value"], told["unit"], told["source"]) == (14.2, "m[IU]/L", "Observation/tsh")


def test_below_its_limit_beyond_what_is_possible_or_absent_the_row_is_silent(http: FlaskClient) -> None:
    for labs, status in (([a_value(3.1)], "used"), ([a_value(900)], "rejected"), ([], "missing")):
        card = answered(http, *labs)
        assert "thyroid clinic" not in json.dumps(card)
        assert inputs(card)[NAME]["status"] == status


def test_what_failed_to_be_searched_is_not_told_as_never_recorded(http: FlaskClient) -> None:
    sent = a_request(labs=...)
    card = http.post("/cds-services/surgical-risk", json=sent).json["cards"][0]
    assert inputs(card)[NAME]["reason"] == "not-provided"


def test_an_added_code_means_its_ideas_and_every_model_that_counts_them_follows(http: FlaskClient) -> None:
    of = {code: inputs(answered(http, conditions=bundle(a_condition(code, system=SNOMED)))) for code in ("82523003",)}
    assert of["82523003"]["heart_failure"]["value"] is True
    assert of["82523003"]["charlson_heart_failure"]["value"] is True


def test_discovery_asks_for_the_added_codes(http: FlaskClient) -> None:
    templates = http.get("/cds-services").json["services"][0]["prefetch"]
    for code in ("http://loinc.org|3016-3", "http://loinc.org|11580-8", "https://example.org/lab|TSH"):
        assert (
            code.replace(":", "%3A").replace("/", "%2F").replace("|", "%7C") in templates["labs"]
            or code in templates["labs"]
        )


def test_the_profile_shows_it_by_the_sites_words_and_the_row_with_its_citation(
    http: FlaskClient, tmp_path: Path
) -> None:
    (tenant,) = tenant_files.load(written(tmp_path))
    site = tenant_runtime.open_tenant(tenant)
    sent = json.dumps(a_request(labs=bundle(a_result("2160-0", 1.1, "mg/dL"), a_value(14.2)))).encode()
    request, knowledge = (
        read_request(sent, offered=("order-select",)),
        Knowledge(registry.load(), FhirClient(threads=5)),
    )
    given = answer(request, site=site, knowledge=knowledge, received=datetime.now(UTC))
    with http.application.test_request_context():
        page = view.page(Opened(site=site, answered=given, models=knowledge.models)).get_data(as_text=True)
    looked_at = page.partition("Also looked at")[2]
    assert re.search(r"Thyrotropin.*?14\.2 m\[IU\]/L", looked_at, re.S)
    assert "a referral to the thyroid clinic" in page
    assert "Example hospital, protocol ENDO-7 (invented), 2026" in page


def test_evidence_marks_the_rows_as_the_sites_own(http: FlaskClient) -> None:
    rows = http.get("/evidence", headers={"Accept": "application/json"}).json["suggestions"]
    (own,) = [one for one in rows if "addedBySite" in one]
    assert own["id"] == "thyroid-clinic"
    page = http.get("/evidence").text
    assert 'Thyroid <span class="mark">added by a hospital</span>' in page
    assert "thyrotropin above 10 m[IU]/L" in page


@pytest.mark.parametrize(
    "path", ["/evidence", "/models", "/models/30-day-death", "/irm", "/cds-services", "/codes/topic"]
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_no_page_without_a_sign_in_names_a_hospital(tmp_path: Path, path: str, accept: str) -> None:
    """The site's own rows are there to be read; whose they are is not."""
    tenants = written(tmp_path)
    file = tenants / "example.yaml"
    file.write_text(
        re.sub(r"^id: .*$", "id: st-nobodys-hospital", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    answer = an_app(tmp_path, tenants=tenants).test_client().get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    assert "st-nobodys-hospital" not in answer.text


def test_check_tells_what_is_added_as_the_page_shows_it(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["check", "--tenants", str(written(tmp_path))])
    assert told.exit_code == 0, told.output
    (line,) = [line for line in told.stdout.splitlines() if "site folder" in line]
    assert line in PAGE
