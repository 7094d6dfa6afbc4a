"""How SORT sees each procedure group, held against its own list of procedures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from fhir_mappings.terminology import procedure_groups
from fhir_mappings.terminology.value_sets import STANDARD

GROUPS = {
    row["name"]: row
    for row in json.loads((Path(procedure_groups.__file__).with_name("procedure_groups.json")).read_text())["groups"]
}
# Per group the rows of SORT's list (by Code) that stand for it: the usual operations of the group.
REPRESENTATIVES = {
    "spine-fusion": "1-1-38-Com 1-1-39-Com 1-1-37-Xma 1-1-36-Xma 1-1-5-Com",
    "spine-decompression": "1-1-19-Xma 1-1-20-Com 1-1-34-Xma 1-1-35-Xma 1-1-4-Xma 1-1-32-Com",
    "spine-deformity": "1-1-18-Com 1-1-28-Com 1-1-30-Com",
    "spine-disc-arthroplasty": "1-1-40-Com 1-1-42-Com",
    "spine-vertebral-augmentation": "1-1-9-Maj 1-1-10-Xma 1-1-27-Xma",
    "hip-arthroplasty": "13-19-12-Xma 13-19-3-Xma 13-19-23-Com",
    "knee-arthroplasty": "13-23-32-Xma 13-23-33-Xma 13-23-31-Com",
    "colorectal-resection": "9-4-14-Xma 9-4-16-Xma 9-5-7-Com 9-5-6-Com 9-5-4-Com 9-5-21-Xma",
    "small-bowel-resection": "9-3-4-Maj 9-3-12-Maj 9-3-8-Maj",
    "gastrectomy": "9-10-13-Xma 9-10-14-Com 9-10-19-Com",
    "liver-pancreas-resection": "9-6-13-Xma 9-6-17-Com 9-6-34-Com 9-6-40-Com 9-6-43-Com",
    "bariatric": "9-10-21-Com 9-10-25-Maj",
    "cholecystectomy-laparoscopic": "9-6-21-Xma 9-6-22-Xma",
    "cholecystectomy-open": "9-6-9-Maj 9-6-10-Maj",
    "appendicectomy": "9-4-1-Maj 9-4-11-Maj",
    "inguinal-hernia-repair": "9-8-11-Int 9-8-12-Maj 9-8-24-Xma",
    "other-hernia-repair": "9-8-26-Int 9-8-3-Maj 9-8-1-Xma",
    "anorectal": "9-5-20-Int 9-5-46-Xma",
    "thyroidectomy": "4-9-13-Maj 4-9-15-Maj 4-9-10-Maj",
    "mastectomy": "5-2-5-Maj 5-2-1-Maj 5-2-4-Maj",
    "breast-lumpectomy": "5-1-10-Int 5-1-3-Int",
    "hysterectomy": "11-1-24-Maj 11-1-26-Xma 11-1-19-Com",
    "oophorectomy": "11-1-15-Maj",
    "nephrectomy": "10-1-13-Maj 10-1-14-Xma 10-1-11-Com",
    "prostatectomy": "10-5-18-Com 10-5-19-Com 10-5-10-Com",
    "prostate-resection-transurethral": "10-5-3-Maj 10-5-6-Xma",
    "lung-resection": "6-5-15-Com 6-7-9-Maj",
    "aortic-repair": "7-4-4-Com 7-4-5-Com 6-10-36-Com",
    "peripheral-bypass": "7-5-9-Com 7-5-8-Com 7-5-6-Com",
    "varicose-veins": "7-7-8-Int 7-7-9-Maj 7-7-12-Xma",
    "tonsillectomy": "3-6-11-Int",
    "skin-excision": "12-1-4-Int 12-1-12-Xma",
}
SEVERE = {"Xma", "Com"}


@pytest.fixture(scope="module")
def severities(shared: Path) -> dict[str, str]:
    with (shared / "data" / "sort_procedures.csv").open(encoding="utf-8", newline="") as lines:
        return {row["Code"]: row["SurgeryProcedureSeverity"] for row in csv.DictReader(lines)}


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(REPRESENTATIVES))
def test_the_severity_of_a_group_is_sorts_own(name: str, severities: dict[str, str]) -> None:
    """1: all Xma or Com; 0: none; unknown where they differ and the order does not tell which."""
    grades = {severities[code] in SEVERE for code in REPRESENTATIVES[name].split()}
    expected = None if len(grades) == 2 else int(grades.pop())
    assert GROUPS[name]["sort_severity_xmajor_or_complex"] == expected


def test_every_group_in_scope_of_sort_is_held_against_its_list() -> None:
    outside = {"orthopaedic-extremity"}  # from carpal bones to the femur: no operation stands for it
    in_scope = {name for name, row in GROUPS.items() if row["sort_in_scope"]}
    assert in_scope - outside == set(REPRESENTATIVES)
    assert all(GROUPS[name]["sort_severity_xmajor_or_complex"] is None for name in outside)


def test_an_unknown_severity_says_why() -> None:
    silent = [
        name
        for name, row in GROUPS.items()
        if row["sort_severity_xmajor_or_complex"] is None and row["sort_in_scope"] and not row["assumption"]
    ]
    assert silent == []


def test_every_group_has_codes_and_a_rank_of_its_own_in_the_spine() -> None:
    assert [name for name in GROUPS if name not in STANDARD.by_id] == []
    spine = [procedure_groups.GROUPS[name].gravity for name in procedure_groups.SPINE_GROUPS]
    assert len(set(spine)) == len(spine)
