"""The strictest of equally specific rules counts, and a canary's share is stable and about right."""

from __future__ import annotations

from cds_service.advice import modes
from cds_service.tenant import Canary, ModeRule, Tenant


def a_tenant(*rules: ModeRule, canary: Canary | None = None) -> Tenant:
    return Tenant(
        id="t",
        environment="dev",
        public_url="https://risk.example.org",
        mode="on",
        modes=rules,
        canary=canary or Canary(),
    )


def test_a_rule_for_both_is_stronger_than_a_rule_for_one() -> None:
    tenant = a_tenant(
        ModeRule(mode="off", hook="order-sign"),
        ModeRule(mode="on", hook="order-sign", procedure_group="spine-fusion"),
    )
    assert modes.in_force(tenant, hook="order-sign", procedure_group="spine-fusion") == "on"
    assert modes.in_force(tenant, hook="order-sign", procedure_group="hysterectomy") == "off"


def test_of_two_equal_rules_the_stricter_counts() -> None:
    tenant = a_tenant(ModeRule(mode="canary", hook="order-sign"), ModeRule(mode="silent", hook="order-sign"))
    assert modes.in_force(tenant, hook="order-sign", procedure_group="x") == "silent"


def test_a_share_of_users_is_stable_and_about_as_large_as_asked_for() -> None:
    tenant = a_tenant(canary=Canary(percent=20))
    users = [f"Practitioner/{number}" for number in range(2000)]
    chosen = [user for user in users if modes.is_in_canary(tenant, user)]
    assert 340 <= len(chosen) <= 460
    assert chosen == [user for user in users if modes.is_in_canary(tenant, user)]


def test_nobody_and_everybody() -> None:
    assert not modes.is_in_canary(a_tenant(), "Practitioner/1")
    assert modes.is_in_canary(a_tenant(canary=Canary(percent=100)), "Practitioner/1")
