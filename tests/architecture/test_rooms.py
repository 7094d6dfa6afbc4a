"""The rooms have no circles, arrows never run back up, and one request enters few of them; a class is named once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.acceptance.requests import a_request
from tests.architecture import measure
from tests.test_architecture import PACKAGES, ROOT

MOST_ROOMS = 15


@pytest.mark.parametrize("tree", PACKAGES)
def test_no_tree_has_a_circle_of_rooms(tree: str) -> None:
    within = {name: targets for name, targets in measure.arrows().items() if name.split(".")[0] == tree}
    assert measure.circles(within) == []


def test_rooms_with_all_that_lies_in_them_have_no_circle() -> None:
    assert measure.circles(measure.arrows(measure.first_room)) == []


def test_a_circle_would_be_found() -> None:
    graph = {"a": {"b": {"x"}}, "b": {"c": {"y"}}, "c": {"b": {"z"}}}
    assert measure.circles(graph) == [("b", "c")]


def test_no_arrow_runs_back_up() -> None:
    assert measure.backwards() == []


def test_the_way_of_a_request_enters_few_rooms(tmp_path: Path) -> None:
    http = create_app(
        Settings(demo=True, database_url=f"sqlite:///{tmp_path}/record", state_directory=tmp_path)
    ).test_client()
    called = measure.entered_by_calls(lambda: http.post("/cds-services/surgical-risk", json=a_request()))
    assert {"cds_service", "cds_service.cards", "fhir_mappings.features", "models_onnx"} <= called
    assert len(called | measure.entered_by_imports()) <= MOST_ROOMS


def test_a_class_name_stands_once_in_the_product() -> None:
    assert measure.classes_twice() == {}


def test_no_function_is_called_only_read_or_told() -> None:
    assert measure.empty_names() == []


def test_the_page_of_the_house_names_every_room_and_no_file_that_is_gone() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {name.split(".")[1] for name in measure.ORDER if name.count(".") == 1}
    assert {name for name in rooms if not re.search(rf"\b{name}\b", page)} == set()
    files = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    named = re.findall(r"`([a-z_/]+\.py)`", page)
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []
