"""The silent hold-out: a stable share of patients of whom nothing is shown, marked in the record (R-F07)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cds_service.answering import gate, modes
from cds_service.records import tables
from cds_service.tenants import tenant_rules
from cds_service.tenants.tenant import Learning, LocalValidation, Tenant
from cds_service.web.app import RECORDS
from tests.acceptance.requests import a_request
from tests.conformance.conftest import SERVICE, a_tenant_file, an_app

TWO = {"protocol": "QI note 7", "approved_by": ("A. Jones", "B. Smith")}
HELD = ["p-0", "p-2", "p-3", "p-4", "p-5", "p-8", "p-9", "p-10", "p-11"]
PATIENTS = [f"p-{number}" for number in range(20_000)]


def a_tenant(**members: Any) -> Tenant:
    validation = LocalValidation(report="R", approved_by="A", date=date(2026, 1, 1))
    given: dict[str, Any] = {"environment": "production", "mode": "on", "local_validation": validation}
    return Tenant(id="t", public_url="https://t.example", **given | members)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5])
def test_the_share_is_held_out_and_grows_without_letting_anybody_go(share: float) -> None:
    held = {one for one in PATIENTS if modes.is_held_out(share, "t", one)}
    assert len(held) / len(PATIENTS) == pytest.approx(share, abs=0.01)
    assert held <= {one for one in PATIENTS if modes.is_held_out(share + 0.1, "t", one)}


def test_a_patient_is_held_out_whatever_is_asked_and_another_hospital_draws_anew() -> None:
    """The digest is fixed: another one would mix those who were shown a figure with those who were not."""
    assert [one for one in PATIENTS[:12] if modes.is_held_out(0.5, "t", one)] == HELD
    both = [modes.is_held_out(0.5, tenant, one) for one in PATIENTS for tenant in ("t", "u")]
    assert sum(a == b for a, b in zip(both[::2], both[1::2], strict=True)) / len(PATIENTS) == pytest.approx(
        0.5, abs=0.02
    )


@pytest.mark.parametrize("mode", ["off", "silent", "canary", "on"])
def test_only_who_would_be_shown_is_held_out(mode: Any) -> None:
    asked = a_tenant(mode=mode, learning=Learning(silent_share=1.0))
    decided = gate.after(asked, "order-select", None, "Practitioner/1", (), patient="p-1")
    expected = {"off": "mode-off", "silent": "mode-silent", "canary": "mode-canary", "on": "mode-hold-out"}
    assert decided.reason == expected[mode]
    unknown = gate.after(a_tenant(learning=Learning(silent_share=1.0)), "order-select", None, "", (), patient=None)
    assert unknown.reason is None


def test_the_answer_is_that_of_silent_mode_and_the_row_says_hold_out(tmp_path: Path) -> None:
    told = {}
    for name, members in {
        "held": {"mode": "on", "learning": {"silent_share": 0.5}},
        "silent": {"mode": "silent"},
    }.items():
        tenants = a_tenant_file(
            tmp_path / name, id="a", environment="dev", client_jwt="optional", clients=[], **members
        )
        app = an_app(tmp_path, tenants=tenants, database_url=f"sqlite:///{tmp_path}/{name}.sqlite3")
        answer = app.test_client().post(SERVICE, json=a_request())
        assert app.extensions[RECORDS].flush(5)
        with app.extensions[RECORDS].durable.connect() as connection:
            row = connection.execute(select(tables.evaluation)).mappings().one()
        told[name] = (answer.status_code, answer.data, row["mode"], row["decision"], row["reason"])
    assert told["held"][:2] == told["silent"][:2]
    assert told["held"][2:] == ("hold-out", "silence", "mode-hold-out")


@pytest.mark.parametrize(
    ("learning", "told"),
    [
        (Learning(permitted=True), "name the agreement"),
        (Learning(silent_share=0.6, **TWO), "0 to 0.5"),
        (Learning(silent_share=0.1), "a protocol and approved_by, two people"),
        (Learning(silent_share=0.1, protocol="P", approved_by=("A", " a")), "two people"),
        (Learning(silent_share=0.1, approved_by=("A", "B")), "a protocol"),
    ],
)
def test_a_file_that_holds_out_or_permits_without_account_is_refused(learning: Learning, told: str) -> None:
    wrong = [words for member, words in tenant_rules.complaints(a_tenant(learning=learning)) if member == "learning"]
    assert len(wrong) == 1
    assert told in wrong[0]
    fine = Learning(permitted=True, agreement="DUA 12", silent_share=0.1, **TWO)
    assert [one for one in tenant_rules.complaints(a_tenant(learning=fine)) if one[0] == "learning"] == []
