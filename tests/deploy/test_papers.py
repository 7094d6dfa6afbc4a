"""The papers of a release: everything that is locked is named, and what was not asked is never told as safe."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import tools

ROOT = Path(__file__).resolve().parents[2]
papers: Any = tools.module("deploy_papers", ROOT / "deploy/papers.py")
VALID = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(str(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()) or "") or 0)
"""


def answered(**packages: list[str] | None) -> str:
    """pip-audit's output: the ids of what is known of each package, or None where it could not ask."""
    told = [
        {"name": name, "skip_reason": "not found"}
        if ids is None
        else {"name": name, "version": "1", "vulns": [{"id": one} for one in ids]}
        for name, ids in packages.items()
    ]
    return json.dumps({"dependencies": told, "fixes": []})


@pytest.mark.parametrize(
    ("output", "verdict", "asked"),
    [
        (answered(a=[], b=[]), "no known vulnerability", 2),
        (answered(a=None, b=None), "NOT AUDITED", 0),  # here pip-audit itself says "No known vulnerabilities found"
        (answered(a=[], b=None), "NOT AUDITED", 1),
        (answered(a=[]), "NOT AUDITED", 1),
        (answered(a=["CVE-1"], b=None), "VULNERABLE", 1),
        ("", "NOT AUDITED", 0),
        ("Traceback …", "NOT AUDITED", 0),
        ("[]", "NOT AUDITED", 0),
    ],
)
def test_a_package_that_was_not_asked_about_is_not_audited(output: str, verdict: str, asked: int) -> None:
    told = papers.judged(output, ["a", "b"])
    assert (told["verdict"], told["asked"], told["of"]) == (verdict, asked, 2)


def test_every_package_of_the_lock_is_found_with_who_asked_for_it() -> None:
    heads = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    found = papers.locked()
    assert sorted(found) == sorted(heads)
    assert [name for name, (_, askers) in found.items() if not askers] == []
    assert found["flask"][1] == [""]


@pytest.mark.end_to_end
def test_the_bill_of_materials_is_cyclonedx_and_whole(tmp_path: Path) -> None:
    python = tools.program("python")
    made = subprocess.run(
        [python, str(ROOT / "deploy/papers.py"), "--folder", str(tmp_path)], capture_output=True, text=True, check=True
    )
    text = (tmp_path / "sbom.cdx.json").read_text("utf-8")
    held = subprocess.run([python, "-c", VALID], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert held.returncode == 0, held.stderr
    bill = json.loads(text)
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert {(name, version) for name, (version, _) in papers.locked().items()} <= listed
    shown = {(path.parts[-3], path.parts[-2]) for path in (ROOT / "models_onnx").glob("*/*/*/model.onnx")}
    assert shown <= listed
    refs = {one["bom-ref"] for one in bill["components"]} | {"root-component"}
    assert {one["ref"] for one in bill["dependencies"]} == refs
    audit = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert f"{audit['verdict']}: {audit['asked']} of {audit['of']}" in made.stdout
    statement = json.loads((tmp_path / "provenance.json").read_text("utf-8"))
    for subject in statement["subject"]:
        assert subject["digest"]["sha256"] == papers.sha256(tmp_path / subject["name"])


def test_a_release_can_name_its_base_image_by_digest() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("FROM")] == ["${BASE}", "${BASE}"]
