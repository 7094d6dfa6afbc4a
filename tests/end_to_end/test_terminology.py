"""A real HAPI expands a hospital's value sets, and the service answers by what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace

from cds_service.patient_data.terminology_server import TerminologyError
from cds_service.tenant_runtime import TenantRuntime, open_tenant
from cds_service.tenants.tenant import Terminology
from cds_service.tenants.tenant_files import demo_tenant
from fhir_mappings.terminology.code_systems import SNOMED_CT
from fhir_mappings.terminology.value_sets import STANDARD

pytestmark = pytest.mark.end_to_end
URL = "https://hospital.example/fhir/ValueSet/"
# The third is one that the shipped set of diabetes does not list.
CODES = ("73211009", "44054006", "1481000119100")
# More than HAPI expands of a set that it has not prepared.
MANY = [str(number) for number in range(100_000_000, 100_001_500)]


def held(base: str, name: str, codes: list[str]) -> None:
    compose = {"include": [{"system": SNOMED_CT, "concept": [{"code": code} for code in codes]}]}
    resource = {"resourceType": "ValueSet", "id": name, "url": URL + name, "version": "2026-11", "status": "active"}
    body = json.dumps({**resource, "compose": compose})
    answer = requests.put(
        f"{base}/ValueSet/{name}", data=body, headers={"Content-Type": "application/fhir+json"}, timeout=60
    )
    assert answer.status_code in (200, 201), answer.text[:300]


def opened(base: str, name: str, **members: Any) -> TenantRuntime:
    asked = Terminology(
        base_url=base, value_sets={"diabetes": URL + name}, systems=(SNOMED_CT,), deadline_s=20, **members
    )
    return open_tenant(replace(demo_tenant("http://127.0.0.1:8000"), terminology=asked))


def test_the_hospitals_expansion_is_in_force(hapi: str) -> None:
    held(hapi, "dm", list(CODES))
    site = opened(hapi, "dm")
    assert "diabetes" in site.value_sets.containing(SNOMED_CT, "1481000119100")
    assert "diabetes" not in STANDARD.containing(SNOMED_CT, "1481000119100")
    assert re.fullmatch(r"diabetes \S+ with 3 codes of the site", site.terminology[0].told)  # HAPI tells its time


def test_a_long_expansion_is_read_whole_and_one_too_long_for_hapi_stops_the_start(hapi: str) -> None:
    held(hapi, "long", MANY[:900])
    assert opened(hapi, "long").terminology[0].codes == 900
    held(hapi, "longer", MANY)
    with pytest.raises(TerminologyError, match="diabetes: the terminology server answered 500"):
        opened(hapi, "longer")


def test_a_set_that_hapi_does_not_have_stops_the_start_or_is_told(hapi: str) -> None:
    with pytest.raises(TerminologyError, match=r"diabetes: the terminology server answered 404"):
        opened(hapi, "unheard-of")
    kept = opened(hapi, "unheard-of", on_failure="keep-shipped")
    assert re.fullmatch(r"diabetes as shipped \S+ \(the terminology server answered 404\)", kept.terminology[0].told)
    assert kept.value_sets is STANDARD


def test_check_shows_which_value_sets_are_in_force(hapi: str, tmp_path: Path) -> None:
    held(hapi, "dm", list(CODES))
    tenant = {
        "id": "h",
        "environment": "dev",
        "public_url": "http://127.0.0.1:8000",
        "terminology": {"base_url": hapi, "value_sets": {"diabetes": URL + "dm"}, "systems": [SNOMED_CT]},
    }
    (tmp_path / "h.yaml").write_text(json.dumps(tenant))
    command = [sys.executable, "-m", "cds_service.commands.cli", "check", "--tenants", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False).stdout
    assert re.search(r"h \(dev, silent[^\n]*\bdiabetes \S+ with 3 codes of the site", told), told
