"""A hospital's own results stand behind its opaque link, on its own model pages, and nowhere else (DEC-26, H-11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from models_onnx.documents.source_attributes import NOT_AT_THIS_SITE

WORD = "q7Zr2mXv9KpTn4Ws"
URL = f"/sites/{WORD}/models/any-complication"
ROWS = ("maintenance.local_validity", "maintenance.local_fairness")
HOSPITAL = """
id: {id}
environment: dev
public_url: http://127.0.0.1:8000
mode: "on"
{more}
"""
VALIDATED = """local_pages: q7Zr2mXv9KpTn4Ws
local_validation:
  report: LV17
  approved_by: A. Jones
  date: 2026-11-01
  validity: Observed to expected 1.04 (0.93 to 1.16) in 3,120 operations
"""


def served(folder: Path, *tenants: str) -> FlaskClient:
    files = folder / "tenants"
    files.mkdir()
    for number, text in enumerate(tenants):
        (files / f"{number}.yaml").write_text(text)
    app = create_app(Settings(tenants=files, database_url=f"sqlite:///{folder}/r.sqlite3", state_directory=folder))
    return app.test_client()


def rows(http: FlaskClient, url: str) -> list[str]:
    told = http.get(url, headers={"Accept": "application/json"}).json["models"][0]["attributes"]
    return [told[name] for name in ROWS]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("hospitals")
    validated = HOSPITAL.format(id="st-elsewhere", more=VALIDATED)
    return served(folder, validated, HOSPITAL.format(id="county", more="local_pages: another-word-of-its-own"))


def test_the_two_rows_tell_what_the_hospital_found_and_who_approved_it(http: FlaskClient) -> None:
    validity, fairness = rows(http, URL)
    assert validity == (
        "Observed to expected 1.04 (0.93 to 1.16) in 3,120 operations. Report LV17 of 2026-11-01, approved by A. Jones."
    )
    assert fairness.startswith("not available here; it stands in the report. Report LV17")
    assert "3,120 operations" in http.get(URL).text


def test_the_base_page_and_another_hospitals_page_tell_nothing_of_it(http: FlaskClient) -> None:
    for url in ("/models/any-complication", "/sites/another-word-of-its-own/models/any-complication"):
        assert rows(http, url) == [NOT_AT_THIS_SITE, NOT_AT_THIS_SITE]
        assert "LV17" not in http.get(url).text


def test_nothing_else_of_the_hospital_is_on_its_page(http: FlaskClient) -> None:
    assert "st-elsewhere" not in http.get(URL).text


def test_a_word_that_nobody_has_is_not_found(http: FlaskClient) -> None:
    assert http.get("/sites/guessed-by-somebody/models/any-complication").status_code == 404
    assert http.get(f"/sites/{WORD}/models/winning").status_code == 404
