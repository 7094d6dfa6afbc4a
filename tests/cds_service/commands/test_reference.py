"""docs/settings.md and docs/commands.md are what the code says; completion works as they tell it."""

from __future__ import annotations

import re
import subprocess
import sys

import msgspec
import pytest

from cds_service.commands import reference, settings_reference
from cds_service.tenants.tenant import Tenant
from cds_service.web.settings import Settings
from tests.cds_service.commands.every_command import commands
from tests.references import ROOT


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    told = "it is made anew by: python -m cds_service.commands.reference"
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference.PAGES[name](), told


def structs(kind: type[msgspec.Struct] = Tenant) -> set[type[msgspec.Struct]]:
    inner = [settings_reference._struct_in(field.type) for field in msgspec.structs.fields(kind)]
    return {kind}.union(*(structs(one) for one in inner if one is not None))


@pytest.mark.parametrize("kind", sorted(structs(), key=lambda one: one.__name__))
def test_every_setting_of_a_tenant_is_told_in_its_docstring(kind: type[msgspec.Struct]) -> None:
    told = settings_reference.documented(kind)
    assert set(told) == set(kind.__struct_fields__)
    assert all(len(words) >= 3 for words in told.values())


def test_every_variable_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_command_and_option_stands_on_the_page() -> None:
    page = reference.commands_page()
    for name, command in commands():
        section = page.partition(f"\n## cds-service {name}\n")[2].partition("\n## ")[0]
        assert section
        assert [one for one in command.params if one.opts[0].startswith("-") and one.opts[-1] not in section] == []


def test_a_command_is_completed() -> None:
    program = "from cds_service.commands.cli import main; main(prog_name='cds-service')"
    asked = {"_CDS_SERVICE_COMPLETE": "bash_complete", "COMP_WORDS": "cds-service mode s", "COMP_CWORD": "2"}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=asked)
    assert told.stdout.split() == ["plain,set", "plain,show"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell_is_printed(shell: str) -> None:
    assert f"_CDS_SERVICE_COMPLETE={shell}_source cds-service" in reference.COMPLETION
    program = "from cds_service.commands.cli import main; main(prog_name='cds-service')"
    asked = {"_CDS_SERVICE_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"}
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=asked)
    assert re.search(rf"_CDS_SERVICE_COMPLETE={shell}_complete", told.stdout)
