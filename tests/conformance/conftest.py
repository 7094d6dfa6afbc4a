"""Two applications: the open demo tenant, and a production tenant whose client proves itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.cds_service.trust.signing import key, public
from tests.patience import PATIENT_ENOUGH

SERVICE = "/cds-services/surgical-risk"
PUBLIC = "https://risk.example.org"
Post = Callable[..., Any]


def an_app(folder: Path, **settings: Any) -> Flask:
    """An application with a record of its own, and a place for retries that the test's end removes."""
    return create_app(
        Settings(**{"database_url": f"sqlite:///{folder}/record.sqlite3", "state_directory": folder, **settings})
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return an_app(tmp_path_factory.mktemp("demo"), demo=True)


@pytest.fixture
def http(demo: Flask) -> FlaskClient:
    return demo.test_client()


@pytest.fixture
def post(http: FlaskClient) -> Post:
    """POST a body to the demo tenant, each call with a hookInstance of its own unless it says otherwise."""

    def send(body: Any, path: str = SERVICE, **options: Any) -> Any:
        if isinstance(body, dict) and body.get("hookInstance") == "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea":
            body = {**body, "hookInstance": str(uuid.uuid4())}
        return http.post(path, json=body, **options)

    return send


def a_tenant_file(folder: Path, **members: Any) -> Path:
    """A folder with one production tenant in mode on; members replace what they name."""
    tenant = {
        "id": "general-hospital",
        "environment": "production",
        "public_url": PUBLIC,
        "clients": [{"issuer": "https://ehr.example.org", "jwks": {"keys": [public("ES384")]}, "tenants": ["east"]}],
        "fhir_base_urls": ["https://fhir.example.org/r4"],
        "mode": "on",
        "card_floor": 0.0,
        "dedupe_window_s": 0.0,
        "thresholds_approved": {"approved_by": "A. Jones", "date": "2026-11-01"},
        "local_validation": {"report": "R-1", "approved_by": "A. Jones", "date": "2026-11-01"},
        "cors_origins": ["https://ehr.example.org"],
        "concept_maps": [str(_demonstration())],
        **PATIENT_ENOUGH,
        **members,
    }
    folder.mkdir(exist_ok=True)
    (folder / "tenant.yaml").write_text(yaml.safe_dump(tenant), encoding="utf-8")
    return folder


def _demonstration() -> Path:
    from fhir_mappings.terminology import concept_maps

    return concept_maps.DEMO


@pytest.fixture(scope="session")
def guarded_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("guarded")
    return an_app(folder, tenants=a_tenant_file(folder / "tenants"))


@pytest.fixture
def guarded(guarded_app: Flask) -> FlaskClient:
    return guarded_app.test_client()


def a_token(path: str = SERVICE, **claims: Any) -> dict[str, str]:
    """The header of a fresh, good token for this endpoint."""
    now = time.time()
    good = {
        "iss": "https://ehr.example.org",
        "aud": PUBLIC + path,
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        **claims,
    }
    return {"Authorization": f"Bearer {jwt.encode(good, key(), algorithm='ES384', headers={'kid': 'key-ES384'})}"}
