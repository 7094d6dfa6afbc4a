"""Hospitals that come, change and go while the service runs: validated first, all or nothing, told in each place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from cds_service.answering.tenants_in_force import TenantsInForce
from cds_service.operations import metrics
from cds_service.records import workers
from cds_service.web.app import RECORDS, SHARED, TENANTS
from fhir_mappings.terminology import concept_maps
from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, a_token, an_app

SECOND = {
    "id": "second",
    "clients": [{"issuer": "https://second.example.org", "jwks": None, "tenants": []}],
    "fhir_base_urls": ["https://fhir.second.example.org/r4"],
}
FHIR = "https://fhir.example.org/r4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One tenant, with a map of orders of its own."""
    made = a_tenant_file(tmp_path / "tenants", concept_maps=["orders.json"])
    shutil.copy(concept_maps.DEMO, made / "orders.json")
    return made


@pytest.fixture
def app(tmp_path: Path, folder: Path) -> Iterator[Flask]:
    made = an_app(tmp_path, tenants=folder)
    yield made
    made.extensions[RECORDS].close()


def in_force(app: Flask) -> TenantsInForce:
    found: TenantsInForce = app.extensions[TENANTS]
    return found


def of(folder: Path, name: str = "tenant.yaml") -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    return read


def write(folder: Path, members: dict[str, Any], name: str = "tenant.yaml") -> None:
    (folder / name).write_text(yaml.safe_dump(members), encoding="utf-8")


def write_second(folder: Path) -> None:
    """The same keys under another issuer, so that one helper signs for both."""
    first = of(folder)
    client = {**first["clients"][0], "issuer": "https://second.example.org", "tenants": []}
    write(folder, {**first, **SECOND, "clients": [client]}, "second.yaml")


def call(app: Flask, **claims: Any) -> Any:
    body = a_request(fhirServer=None, fhirAuthorization=None)
    return app.test_client().post(SERVICE, json=body, headers=a_token(**claims))


def ready(app: Flask) -> dict[str, Any]:
    told: dict[str, Any] = app.test_client().get("/ready").json
    return told


def loads(result: str) -> float:
    return metrics.tenant_loads.labels(result)._value.get()


def second(app: Flask) -> int:
    status: int = call(app, iss="https://second.example.org", tenant=None).status_code
    return status


def test_nothing_is_read_again_while_no_file_has_changed(app: Flask) -> None:
    sites, serves = in_force(app).sites, app.wsgi_app
    assert in_force(app).refresh() is False
    assert in_force(app).sites is sites
    assert app.wsgi_app == serves


def test_a_tenant_that_came_is_answered_and_one_that_went_is_refused(app: Flask, folder: Path) -> None:
    before = loads("loaded")
    assert second(app) == 401
    write_second(folder)
    assert second(app) == 401
    assert in_force(app).refresh() is True
    assert second(app) == 200
    assert call(app).status_code == 200
    assert (ready(app)["tenants"], app.extensions[SHARED]) == (2, True)
    (folder / "second.yaml").unlink()
    assert in_force(app).refresh() is True
    assert second(app) == 401
    assert call(app).status_code == 200
    assert (ready(app)["tenants"], app.extensions[SHARED]) == (1, False)
    assert loads("loaded") == before + 2


def test_a_change_holds_for_the_next_call_and_the_others_keep_what_they_had(app: Flask, folder: Path) -> None:
    write_second(folder)
    in_force(app).refresh()
    kept = {site.tenant.id: site for site in in_force(app).sites}
    write(folder, {**of(folder), "mode": "off"})
    assert in_force(app).refresh() is True
    assert call(app).json == {"cards": []}
    changed = {site.tenant.id: site for site in in_force(app).sites}
    assert changed["second"] is kept["second"]
    assert changed["general-hospital"] is not kept["general-hospital"]


def test_the_same_request_is_answered_anew_after_a_map_was_changed(app: Flask, folder: Path) -> None:
    body = a_request(fhirServer=None, fhirAuthorization=None)

    def answered() -> Any:
        return app.test_client().post(SERVICE, json=body, headers=a_token()).json["cards"]

    assert answered()
    known = json.loads((folder / "orders.json").read_text(encoding="utf-8"))
    for group in known["group"]:
        group["element"] = [one for one in group["element"] if "fusion" not in json.dumps(one)] or group["element"]
    (folder / "orders.json").write_text(json.dumps(known), encoding="utf-8")
    told = answered()
    assert in_force(app).refresh() is True
    assert answered() != told


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"mode": "loud"}, "tenant.yaml:"),
        ({"zone": "Europe/Atlantis"}, "tenant.yaml:"),
        ({"concept_maps": ["gone.json"]}, "tenant.yaml:"),
        ({"id": "second"}, "two tenants are called 'second'"),
        ({"environment": "dev"}, "a production start refuses it"),
        ({"added_models": ["nobody-added"]}, "no model nobody-added"),
    ],
)
def test_what_is_wrong_changes_nothing_and_is_logged_once_counted_and_told_until_it_is_right(
    app: Flask, folder: Path, members: dict[str, Any], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_second(folder)
    in_force(app).refresh()
    before, right = loads("refused"), of(folder)
    (folder / "second.yaml").touch()
    write(folder, {**right, **members})
    for _ in range(3):
        assert in_force(app).refresh() is False
    assert (call(app).status_code, second(app)) == (200, 200)
    assert named in ready(app)["tenantsRefused"]
    assert app.test_client().get("/ready").status_code == 200
    assert loads("refused") == before + 1
    told = capsys.readouterr().out
    assert told.count("tenants-refused") == 1
    write(folder, right)
    in_force(app).refresh()
    assert "tenantsRefused" not in ready(app)


def test_a_folder_that_is_gone_or_empty_retires_nobody(app: Flask, folder: Path) -> None:
    moved = folder.rename(folder.with_name("moved"))
    assert in_force(app).refresh() is False
    assert call(app).status_code == 200
    folder.mkdir()
    assert in_force(app).refresh() is False
    assert call(app).status_code == 200
    assert "holds no tenant" in ready(app)["tenantsRefused"]
    folder.rmdir()
    moved.rename(folder)
    in_force(app).refresh()
    assert "tenantsRefused" not in ready(app)


def test_every_worker_tells_the_record_which_files_it_holds(app: Flask, folder: Path) -> None:
    records = app.extensions[RECORDS]
    presence = records._presence
    told = []
    for _ in range(2):
        presence.tell(datetime.now(UTC))
        told += workers.alive(records.quick, datetime.now(UTC))
        write_second(folder)
        in_force(app).refresh()
    assert [len(one.tenants) for one in told] == [1, 2]
    assert told[0].tenant_files != told[1].tenant_files == ready(app)["tenantFiles"]


def test_keys_that_were_had_stay_known_where_the_tenants_file_stayed(tmp_path: Path) -> None:
    from cds_service.tenants.tenant_folder import TenantFolder
    from cds_service.trust.client_jwt import Verifier
    from cds_service.trust.key_set import KeySet

    folder = a_tenant_file(tmp_path / "tenants")
    tenants = [site.tenant for site in TenantsInForce(TenantFolder(folder)).sites]
    first = Verifier(tenants, used=None)  # type: ignore[arg-type]
    first.keys[id(tenants[0].clients[0])] = KeySet(tenants[0].clients[0], tenants[0])
    assert Verifier(tenants, used=None, before=first).keys == first.keys  # type: ignore[arg-type]
