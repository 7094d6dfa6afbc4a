"""The steps of the Dockerfile, carried out in an empty directory, give a service that starts and answers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.end_to_end import servers

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[2]
# Where the Dockerfile puts what it builds; the test puts a folder of its own in its place.
PREFIX = "/opt/"


def steps() -> list[tuple[str, str]]:
    """COPY and RUN of the build stage, in order; continued lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
    stage = re.split(r"^FROM .*$", text, flags=re.MULTILINE)[1]
    return re.findall(r"^(COPY|RUN) (.+)$", stage, re.MULTILINE)


def copy(arguments: str, build: Path) -> None:
    *sources, target = shlex.split(arguments)
    for source in sources:
        if (ROOT / source).is_dir():
            # What .dockerignore keeps out never reaches the image.
            ignore = shutil.ignore_patterns("__pycache__", "training") if source == "models_onnx" else None
            shutil.copytree(ROOT / source, build / target, ignore=ignore or shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, build / target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment that the image would hold."""
    folder = tmp_path_factory.mktemp("image")
    home, build = folder / "surgical-risk", folder / "source"
    build.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["PATH"] = f"{Path(sys.executable).resolve().parent}:{environment['PATH']}"
    for instruction, arguments in steps():
        if instruction == "COPY":
            copy(arguments, build)
        else:
            command = arguments.replace(PREFIX, f"{folder}/")
            subprocess.run(command, shell=True, cwd=build, env=environment, check=True, timeout=600)
    shutil.rmtree(build)
    return home


def test_the_image_holds_what_serves_and_nothing_that_trains(image: Path) -> None:
    packages = next((image / "lib").glob("python3.*")) / "site-packages"
    assert not list(packages.glob("sklearn")) + list(packages.glob("pandas")) + list(packages.glob("skl2onnx"))
    assert not (packages / "models_onnx" / "training").exists()
    assert list((packages / "models_onnx").rglob("model.onnx"))
    assert list((packages / "fhir_mappings" / "terminology" / "value_sets").glob("*.json"))
    assert list((packages / "fhir_mappings" / "terminology" / "concept_maps").glob("*.json"))
    assert list((packages / "cds_service" / "records" / "migrations").rglob("*.py"))
    assert list((packages / "cds_service" / "pages" / "templates").rglob("*.html"))
    assert not list(packages.glob("hatchling"))


def test_the_service_starts_from_the_image_and_answers(image: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := servers.free_port())}"
    command = [str(image / "bin" / "cds-service"), "serve", "--demo", "--bind", f"127.0.0.1:{port}"]
    with servers.running(command, f"{url}/cds-services", log=tmp_path / "log", cwd=tmp_path):
        services = requests.get(f"{url}/cds-services", timeout=10).json()["services"]
        called = subprocess.run(
            [image / "bin" / "cds-service", "call", "demo-fusion", "22633", "--service", url],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
    assert {service["id"] for service in services} == {f"surgical-risk-{service['hook']}" for service in services}
    assert "about 8 in 1,000" in called.stdout
