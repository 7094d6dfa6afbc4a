"""docs/mapping.md shows the settings as they are: every member, with its default, in YAML that a tenant file takes."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.patient_data.terminology_server import REVIEWED
from cds_service.tenants.tenant import DataHabits, Terminology
from fhir_mappings.terminology.value_sets import STANDARD

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
SHOWN = {
    name: block for text in re.findall(r"```yaml\n(.*?)```", TEXT, re.S) for name, block in yaml.safe_load(text).items()
}


def test_the_habits_are_shown_with_their_defaults() -> None:
    assert msgspec.convert(SHOWN["data"], DataHabits) == DataHabits()
    assert list(SHOWN["data"]) == list(DataHabits.__struct_fields__)


def test_the_terminology_server_is_shown_with_every_member() -> None:
    shown = msgspec.convert(SHOWN["terminology"], Terminology)
    assert set(SHOWN["terminology"]) == set(Terminology.__struct_fields__)
    assert set(shown.value_sets) <= {*STANDARD.by_id, REVIEWED}
    assert shown.deadline_s == Terminology(base_url="", value_sets={}).deadline_s


def test_the_command_takes_the_options_that_are_shown() -> None:
    told = CliRunner().invoke(main, ["mapping-report", "--help"]).output
    block = re.search(r"```sh\n(.*?)```", TEXT, re.S)
    assert block is not None
    assert all(option in told for option in set(re.findall(r" (--[a-z-]+)", block[1])))
    assert "FHIR_TOKEN" in told
