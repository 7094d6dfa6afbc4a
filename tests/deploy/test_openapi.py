"""docs/openapi.yaml names every route that CDS Hooks does not define, and no other, and says what they answer."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask

from cds_service.pages import security_txt
from tests.conformance.conftest import a_tenant_file, an_app
from tests.deploy import tools

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs/openapi.yaml"
SAID: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PRODUCTION = {"probes", "papers", "profile"}
EXAMPLES = {"outcome": "30-day-death", "name": "sort-2014", "filename": "page.css"}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("production")
    return an_app(folder, tenants=a_tenant_file(folder / "tenants"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return an_app(tmp_path_factory.mktemp("demo"), demo=True)


def served(app: Flask) -> set[tuple[str, str]]:
    return {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/cds-services")
    }


def said(tags: Iterable[str]) -> set[tuple[str, str]]:
    return {
        (path, method) for path, item in SAID["paths"].items() for method in item if item[method]["tags"][0] in tags
    }


def test_no_route_of_production_is_missing_and_none_is_invented(production: Flask) -> None:
    assert served(production) == said(PRODUCTION)


def test_nor_of_the_demo_with_its_workbench(demo: Flask) -> None:
    assert served(demo) == said(PRODUCTION | {"workbench", "demo"})


@pytest.mark.parametrize("path", sorted(path for path, method in said(PRODUCTION) if method == "get"))
def test_what_a_route_answers_is_among_what_is_said(path: str, production: Flask) -> None:
    known = SAID["paths"][path]["get"]["responses"]
    filled = re.sub(r"\{(\w+)\}", lambda one: EXAMPLES.get(one[1], "11111111-1111-4111-8111-111111111111"), path)
    for accept in ("text/html", "application/json"):
        answer = production.test_client().get(filled, headers={"Accept": accept})
        assert str(answer.status_code) in known, (filled, answer.status_code)
        response = known[str(answer.status_code)]
        if "$ref" in response:
            response = SAID["components"]["responses"][response["$ref"].rpartition("/")[2]]
        kinds = set(response.get("content", {answer.mimetype: {}}))
        assert answer.mimetype in kinds or "*/*" in kinds, (filled, answer.mimetype)
        answer.close()


@pytest.mark.end_to_end
def test_it_is_openapi() -> None:
    command = [tools.program("openapi-spec-validator"), str(FILE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_of_this_version_and_so_is_security_txt() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{SAID["info"]["version"]}"\n' in project
    assert (ROOT / "docs/security.txt").read_text(encoding="utf-8") == security_txt.text()
    assert security_txt.EXPIRES[:10] in (ROOT / "docs/versions.md").read_text(encoding="utf-8")
