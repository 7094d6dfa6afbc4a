"""What docs and deploy/ tell an operator is what the code does: statuses, hooks, keys, scopes, commands."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import get_args

import click
import pytest
import yaml

from cds_service.commands.cli import main
from cds_service.tenants.tenant import Hook, VendorProfile
from cds_service.tenants.tenant_files import load_file
from cds_service.trust.errors import ServiceError
from fhir_mappings.features import queries
from fhir_mappings.orders.operation_codes import gaps, known
from fhir_mappings.patient import patient_record
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CPT
from fhir_mappings.terminology.concept_maps import EMPTY, vocabulary
from fhir_mappings.terminology.value_sets import STANDARD

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/integration.md").read_text(encoding="utf-8")
MAP_PAGE = (ROOT / "docs/map-my-orders.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def statuses() -> set[int]:
    """Of our own errors, and the two that Flask and an unexpected fault give."""
    return {kind.status for kind in ServiceError.__subclasses__()} | {200, 405, ServiceError.status}


def a_command(words: list[str]) -> click.Command:
    """The command that the words after `cds-service` name."""
    found: click.Command = main
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.commands[word]
    return found


def test_S_04_V_05_the_page_for_integrators_lists_every_status() -> None:
    assert {int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)} == statuses()


@pytest.mark.parametrize("hook", get_args(Hook))
def test_V_03_V_05_every_hook_is_documented(hook: str) -> None:
    assert f"`{hook}`" in PAGE
    assert f"`{hook}`" in OPERATIONS


def test_V_05_every_key_and_the_scope_of_every_resource_asked_for_is_documented() -> None:
    assert [key for key in patient_record.KEYS if f"`{key}`" not in PAGE] == []
    asked = {re.split(r"[/?]", template)[0] for template in queries.prefetch_templates(EMPTY).values()}
    assert [kind for kind in asked if f"patient/{kind}.r" not in PAGE] == []
    assert not re.search(r"patient/\w+\.(?!rs?`)", PAGE), "read only"


@pytest.mark.parametrize("profile", get_args(VendorProfile))
def test_every_vendor_profile_is_documented(profile: str) -> None:
    assert f"`{profile}`" in PAGE


def test_the_retention_job_of_systemd_and_of_kubernetes_is_a_command_of_ours() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read(ROOT / "deploy/surgical-risk-purge.service")
    job = yaml.safe_load((ROOT / "deploy/purge-cronjob.yaml").read_text(encoding="utf-8"))
    container = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    for line in (shlex.split(unit["Service"]["ExecStart"]), container["command"]):
        program, *words = line
        command = a_command(words)
        assert Path(program).name == "cds-service"
        assert command.name == "purge"
        command.make_context("purge", words[2:])


def test_the_timer_starts_the_service_beside_it() -> None:
    timers = {path.stem for path in (ROOT / "deploy").glob("*.timer")}
    assert timers
    assert timers <= {path.stem for path in (ROOT / "deploy").glob("*.service")}


def test_DEC_31_the_map_that_the_page_of_orders_shows_makes_CPT_known(tmp_path: Path) -> None:
    shown = re.search(r"```json\n(\{\n \"resourceType\": \"ConceptMap\".*?)```", MAP_PAGE, re.DOTALL)
    assert shown
    site = tmp_path / "site.json"
    site.write_text(shown[1], encoding="utf-8")
    maps = concept_maps.load([site])
    assert vocabulary(STANDARD, maps).ideas(CPT, "22612") == ("spine-fusion",)
    assert maps.rules_out(CPT, "65210")
    assert gaps(known(STANDARD, maps)) == ()
    assert f"`{gaps(known(STANDARD, EMPTY))[0]}`" in PAGE
    assert "display" not in shown[1], "no descriptor of CPT stands anywhere (DEC-31)"


def test_the_example_of_a_tenant_file_starts() -> None:
    assert load_file(ROOT / "deploy/tenant-example.yaml").is_production


def test_every_command_in_the_operations_page_exists() -> None:
    lines = re.findall(r"cds-service ((?:record|mode|kill|models|serve|check|codes)[^`\n#>]*)", OPERATIONS)
    assert len(lines) > 8
    for line in lines:
        words = line.replace("…", "x").replace("|", " ").split()
        names = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
        assert isinstance(a_command(names[:2]), click.Command), line
