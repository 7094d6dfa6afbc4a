"""The mapping report reads by a tenant's file: what its site folder adds is understood, and no step names it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from tests.acceptance.requests import SNOMED, a_condition, a_patient
from tests.cds_service.test_your_own_codes import a_value, written

LAB = "https://example.org/lab"
HEART = a_condition("82523003", system=SNOMED)  # congestive rheumatic heart failure: codes.yaml of the page
OWN_CODE = a_value(14.2, system=LAB, code="TSH") | {"id": "own-code"}  # codes.json
OWN_UNIT = a_value(14.2, "mE/l") | {"id": "own-unit"}  # units.yaml
NO_UNIT = a_value(14.2, "furlong") | {"id": "no-unit"}
DIAGNOSIS = "1 of 1 diagnosis of 1 person (everybody) has a code of http://snomed.info/sct in no list"
RESULT = f"1 result of 1 person (everybody) is coded in {LAB}, which is not read"


@pytest.fixture
def tenant(tmp_path: Path) -> Path:
    return written(tmp_path) / "example.yaml"


def report(tmp_path: Path, *resources: dict[str, Any], tenant: Path | None = None, more: tuple[str, ...] = ()) -> str:
    """What is told, the page and the table, of a person who has these."""
    export = tmp_path / "export.ndjson"
    export.write_text("\n".join(json.dumps(one) for one in (a_patient(), *resources)))
    named = ["--tenant-file", str(tenant)] if tenant else []
    files = ["--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv")]
    done = CliRunner().invoke(main, ["mapping-report", str(export), *files, *named, *more])
    assert done.exit_code == 0, done.output
    return "\n".join([done.output, (tmp_path / "r.html").read_text()])


def rows(tmp_path: Path, section: str) -> list[list[str]]:
    with (tmp_path / "r.csv").open() as table:
        return [row[1:5] for row in csv.reader(table) if row[0] == section]


def test_without_the_tenants_file_what_it_added_is_named_as_not_understood(tmp_path: Path) -> None:
    told = report(tmp_path, HEART, OWN_CODE)
    assert DIAGNOSIS in told
    assert RESULT in told
    assert "thyrotropin" not in told.lower()


def test_with_it_an_added_code_is_understood_and_no_step_names_it(tmp_path: Path, tenant: Path) -> None:
    told = report(tmp_path, HEART, OWN_CODE, tenant=tenant)
    assert DIAGNOSIS not in told
    assert RESULT not in told
    assert "82523003" not in told
    assert ["heart_failure", "", "", "1"] in rows(tmp_path, "present")
    assert ["conditions", "understood", "", "1"] in rows(tmp_path, "entries")


@pytest.mark.parametrize("value", [OWN_CODE, OWN_UNIT], ids=["the site's code", "the site's unit"])
def test_an_added_value_is_counted_among_the_inputs_by_the_sites_name(
    tmp_path: Path, tenant: Path, value: dict[str, Any]
) -> None:
    told = report(tmp_path, value, tenant=tenant)
    (row,) = [one for one in rows(tmp_path, "coverage") if one[0] == "thyrotropin"]
    assert row[1].startswith("used")
    assert "thyrotropin" in told.partition("<h2>Inputs")[2]
    assert "No patient has a result for" not in told or "thyrotropin" not in told.partition("No patient has")[2][:400]


def test_a_unit_that_an_added_value_does_not_take_is_told(tmp_path: Path, tenant: Path) -> None:
    told = report(tmp_path, NO_UNIT, tenant=tenant)
    assert "Look at units: thyrotropin in “furlong” comes 1 times." in told


def test_an_added_value_of_nobody_is_among_those_to_look_for(tmp_path: Path, tenant: Path) -> None:
    step = report(tmp_path, tenant=tenant).partition("No patient has a result for ")[2].partition(":")[0]
    assert "thyrotropin" in step


def test_what_is_tried_besides_counts_with_it_and_its_zone_holds(tmp_path: Path, tenant: Path) -> None:
    tenant.write_text(tenant.read_text() + "zone: Europe/Vienna\n")
    told = report(
        tmp_path, HEART, a_condition("I50.9", system="urn:own"), tenant=tenant,
        more=("--code-system", "urn:own", "icd-10-cm"),
    )  # fmt: skip
    assert "urn:own" not in told.partition("What to do next")[2]
    assert "(Europe/Vienna)" in told


def test_entries_that_the_tenant_counts_as_absent_are_still_told_as_not_understood(tmp_path: Path) -> None:
    """Two people sign for that after they have read this report."""
    tenant = written(tmp_path) / "example.yaml"
    tenant.write_text(tenant.read_text() + "data: {unread_entries: absent}\n")
    told = report(tmp_path, a_condition("X1", system="urn:other"), tenant=tenant)
    assert "is coded in urn:other, which is not read" in told
    assert ["diabetes", "range", "not-understood", "1"] in rows(tmp_path, "coverage")
