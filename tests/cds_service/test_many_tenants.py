"""What one tenant more costs a node: thousands share what is alike, and nothing is made before somebody calls."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.answering.tenants_in_force import TenantsInForce
from cds_service.tenants import tenant_files
from cds_service.tenants.tenant_folder import TenantFolder
from cds_service.trust.client_jwt import Verifier

MANY = 200
# 120 MB for five thousand tenants are 24 KB each, for the parent and every worker together.
MOST_BYTES = 8 * 1024


def a_hospital(number: int) -> dict[str, Any]:
    return {
        "id": f"hospital-{number}",
        "environment": "production",
        "public_url": "https://cds.example.org",
        "fhir_base_urls": [f"https://fhir.h{number}.example.org/r4"],
        "mode": "silent",
        "clients": [{"issuer": f"https://h{number}.example.org", "jwks_url": f"https://h{number}.example.org/jwks"}],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("many")
    for number in range(MANY):
        (made / f"h{number:03}.yaml").write_text(yaml.safe_dump(a_hospital(number)), encoding="utf-8")
    return made


def test_a_tenant_more_takes_some_kilobytes_until_it_calls(folder: Path) -> None:
    TenantsInForce(TenantFolder(folder))  # what is made once for all
    tracemalloc.start()
    try:
        opened = TenantsInForce(TenantFolder(folder))
        verifier = Verifier([site.tenant for site in opened.sites], used=None)  # type: ignore[arg-type]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / MANY < MOST_BYTES
    assert verifier.keys == {}
    assert all(site.fhir._made is None and site.sign_in._made is None for site in opened.sites)


def test_tenants_without_maps_of_their_own_share_one_reading(folder: Path) -> None:
    first, *others = TenantsInForce(TenantFolder(folder)).sites
    assert all(one.maps is first.maps and one.templates is first.templates for one in others)


def test_one_file_that_changed_is_read_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = TenantsInForce(TenantFolder(folder))
    read: list[Path] = []
    load_file = tenant_files.load_file
    monkeypatch.setattr(tenant_files, "load_file", lambda path: read.append(path) or load_file(path))
    changed = folder / "h007.yaml"
    changed.write_text(yaml.safe_dump({**a_hospital(7), "mode": "off"}), encoding="utf-8")
    assert tenants.refresh() is True
    assert read == [changed]
