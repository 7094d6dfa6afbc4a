"""A diagnosis whose codes are understood and whose standing is not opens what it could make true, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import a_condition, a_record, coded, date_ago, derived

_HL7 = "http://terminology.hl7.org/CodeSystem"
STANDINGS: list[dict[str, Any]] = [
    {"status": None, "clinicalStatus": coded((f"{_HL7}/condition-clinical", "unknown")), "category": None},
    {
        "status": None,
        "clinicalStatus": coded((f"{_HL7}/condition-clinical", "active"), (f"{_HL7}/condition-clinical", "resolved")),
    },
    {"verificationStatus": {"text": "confirmed"}},
    {"verificationStatus": coded(("http://snomed.info/sct", "410605003"))},
    {
        "verificationStatus": coded(
            (f"{_HL7}/condition-ver-status", "confirmed"), (f"{_HL7}/condition-ver-status", "unconfirmed")
        )
    },
    {"status": None, "category": None, "onsetAge": {"value": 60}},
    {"abatementString": "N/A"},
    {"category": [coded((f"{_HL7}/condition-category", "family-history"))]},
]
CODES = ["J44.9", "E11.22", "I50.9", "I13.2", "C34.1", "C78.0", "A41.9", "N18.6", "Z99.2", "M96.1", "Z79.4", "I10"]
CODES += ["Z85.3", "J18.9", "O09.9", "B20", "K74.60", "M43.16", "M54.50", "F03.90"]


def _told(*resources: dict[str, Any]) -> dict[str, Any]:
    return {name: (one.status, one.value) for name, one in derived(*resources).items()}


NOTHING = _told()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("members", STANDINGS, ids=str)
def test_only_what_the_diagnosis_could_make_true_is_open(members: dict[str, Any], code: str) -> None:
    when = {"recordedDate": date_ago(1)} if "onsetAge" not in members else {}
    unclear = _told(a_condition(code, **members, **when))
    changed = set()
    for held in ({"onsetDateTime": date_ago(1)}, {}, {"status": "resolved", "abatementDateTime": date_ago(1)}):
        would = _told(a_condition(code, **held))
        changed |= {name for name, one in would.items() if one != NOTHING[name]}
    opened = {name for name, one in unclear.items() if one != NOTHING[name]}
    assert opened <= changed
    for name in changed - opened:  # as the lists of history: it could be true only by a date that it does not have
        assert name in ("cancer", "sepsis", "respiratory_infection")


def test_pregnancy_is_open_by_its_own_codes_only() -> None:
    unclear = {"verificationStatus": {"text": "confirmed"}, "onsetDateTime": date_ago(1)}
    assert a_record(a_condition("J44.9", **unclear)).pregnancy == "no"
    assert a_record(a_condition("O09.90", **unclear)).pregnancy == "unknown"


def test_what_is_not_understood_beside_it_keeps_everything_open() -> None:
    unclear = a_condition("J44.9", verificationStatus={"text": "confirmed"})
    local = a_condition(coded(("urn:x", "1")), id="local")
    assert {name for name, one in _told(local).items() if one[0] == "missing"} <= {
        name for name, one in _told(unclear, local).items() if one[0] == "missing"
    }
