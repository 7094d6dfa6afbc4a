"""A hospital with one operation that is over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.cds_service.during.hospitals import an_hospital, an_hour, send
from tests.fhir_mappings.during.observed import BEGIN


@pytest.fixture
def closed(tmp_path: Path) -> Flask:
    app = an_hospital(tmp_path, at=BEGIN + timedelta(hours=2))
    send(app, an_hour())
    return app
