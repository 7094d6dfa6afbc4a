"""Modes: kill over switch over file, and the most specific rule within either."""

import msgspec
import pytest

from cds_service.answering import modes
from cds_service.records.switches import Switch, SwitchScope
from cds_service.tenants.tenant import Canary, LocalValidation, ModeRule
from tests.cds_service.trust.signing import a_tenant

VALIDATED = LocalValidation(report="R", approved_by="A", date=__import__("datetime").date(2026, 1, 1))
TENANT = a_tenant(
    id="t",
    mode="on",
    local_validation=VALIDATED,
    modes=(ModeRule(mode="silent", hook="order-sign"), ModeRule(mode="off", procedure_group="knee")),
)


def switched(value: str, hook: str = "", group: str = "", tenant: str = "t") -> Switch:
    return Switch("mode", SwitchScope(tenant, hook, group), value)


@pytest.mark.parametrize(
    ("hook", "group", "switches", "mode"),
    [
        ("order-select", "spine", (), "on"),
        ("order-sign", "spine", (), "silent"),
        ("order-sign", "knee", (), "off"),
        ("order-select", None, (), "on"),
        ("order-select", "spine", (switched("silent"),), "silent"),
        ("order-sign", "knee", (switched("on"),), "on"),
        ("order-sign", "spine", (switched("on"), switched("off", "order-sign")), "off"),
        ("order-sign", "spine", (switched("off", "order-sign"), switched("canary", "", "spine")), "canary"),
        ("order-select", "spine", (switched("off", tenant="other"),), "on"),
    ],
)
def test_the_most_specific_rule_wins_and_what_was_switched_wins_over_the_file(hook, group, switches, mode):
    assert modes.mode_for(TENANT, hook, group, switches) == mode


def test_DEC_30_without_local_validation_nothing_is_shown_whatever_was_switched():
    tenant = msgspec.structs.replace(TENANT, local_validation=None, mode="silent", modes=())
    assert modes.mode_for(tenant, "order-select", "spine", (switched("on"),)) == "silent"


def test_a_kill_switch_of_all_or_of_this_tenant_counts():
    assert modes.is_killed("t", (Switch("kill", SwitchScope(), "killed"),))
    assert modes.is_killed("t", (Switch("kill", SwitchScope("t"), "killed"),))
    assert not modes.is_killed("t", (Switch("kill", SwitchScope("other"), "killed"),))


def test_a_kill_switch_counts_among_whatever_else_is_switched():
    kill = Switch("kill", SwitchScope("t"), "killed")
    for others in ((switched("on"),), (Switch("kill", SwitchScope("other"), "killed"),)):
        assert modes.is_killed("t", (kill, *others))
        assert modes.is_killed("t", (*others, kill))
    assert not modes.is_killed("t", (switched("off"),))


@pytest.mark.parametrize(
    ("environment", "validated", "mode", "shown"),
    [
        ("production", None, "off", "off"),  # nothing to show is not silently computed
        ("production", None, "silent", "silent"),
        ("production", None, "canary", "silent"),
        ("production", VALIDATED, "on", "on"),
        ("demo", None, "on", "on"),
        ("dev", None, "canary", "canary"),
    ],
)
def test_DEC_30_only_what_production_would_show_without_validation_is_silent(environment, validated, mode, shown):
    tenant = msgspec.structs.replace(TENANT, environment=environment, local_validation=validated, mode=mode, modes=())
    assert modes.mode_for(tenant, "order-select", "spine", ()) == shown


def test_a_switch_of_another_kind_is_no_mode():
    """Of whatever value: a kill switch whose word is a mode's, a mode that nobody knows."""
    assert modes.mode_for(TENANT, "order-select", "spine", (Switch("kill", SwitchScope("t"), "off"),)) == "on"
    assert modes.mode_for(TENANT, "order-select", "spine", (switched("aloud"),)) == "on"


def test_without_a_switch_a_hook_is_as_its_file_says():
    mixed = msgspec.structs.replace(TENANT, mode="off", modes=(ModeRule(mode="on", procedure_group="spine"),))
    assert not modes.is_off(mixed, "order-select", ())
    shut = msgspec.structs.replace(TENANT, mode="on", modes=(ModeRule(mode="off", hook="order-sign"),))
    assert modes.is_off(shut, "order-sign", ())
    assert not modes.is_off(shut, "order-select", ())


def test_the_canary_of_everybody_has_also_who_is_not_known():
    assert modes.is_selected(Canary(percent=100.0), "t", "")
    assert not modes.is_selected(Canary(percent=99.9), "t", "")


def test_a_hook_is_off_only_if_no_group_of_it_is_on():
    off = msgspec.structs.replace(TENANT, mode="off", modes=())
    assert modes.is_off(off, "order-select", ())
    assert not modes.is_off(off, "order-select", (switched("on", "", "spine"),))


def test_the_canary_is_the_named_users_and_a_stable_share_of_the_others():
    users = [f"Practitioner/{number}" for number in range(2000)]
    tenth = [user for user in users if modes.is_selected(Canary(percent=10), "t", user)]
    assert 150 < len(tenth) < 250
    assert tenth == [user for user in users if modes.is_selected(Canary(percent=10), "t", user)]
    assert modes.is_selected(Canary(users=("Practitioner/7",)), "t", "Practitioner/7")
    assert not any(modes.is_selected(Canary(), "t", user) for user in users)
