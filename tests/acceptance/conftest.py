"""The application in demo mode, called through its front door without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance import own_models
from tests.acceptance.own_models import Apps

Post = Callable[..., Any]


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("record")
    return create_app(Settings(demo=True, database_url=f"sqlite:///{folder}/record.sqlite3"))


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def post(http: FlaskClient) -> Post:
    """POST a request body to the service; the response."""

    def send(body: Any, service: str = "surgical-risk") -> Any:
        return http.post(f"/cds-services/{service}", json=body)

    return send


@pytest.fixture
def apps(tmp_path: Path) -> Apps:
    def made(site: Path | None, **settings: Any) -> Flask:
        number = len(list(tmp_path.iterdir()))
        named: dict[str, Any] = {"demo": "tenants" not in settings, "site_models": site} | settings
        return create_app(
            Settings(
                database_url=f"sqlite:///{tmp_path}/r{number}.sqlite3", state_directory=tmp_path / f"s{number}", **named
            )
        )

    return made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_models.a_site(tmp_path_factory.mktemp("models"))
