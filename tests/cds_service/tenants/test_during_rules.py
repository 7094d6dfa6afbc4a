"""The mode table: what is shown of an operation while and after it is done, by mode, environment, gates and end."""

from __future__ import annotations

import math
from itertools import product

import pytest

from cds_service.tenants.during_rules import NOT_FOR_PRODUCTION, DuringAnswer, complaint, may_show
from cds_service.tenants.tenant import Environment, Tenant
from cds_service.tenants.tenant_parts import DeviceCleared, During, DuringMode

CLEARED = DeviceCleared(authority="an authority", number="K000000", approved_by="A. Jones")
NOTHING = "nothing"

# mode, environment, cleared, gates open, end recorded → what, why not more
TABLE: tuple[tuple[DuringMode, Environment, bool, bool, bool, str, str], ...] = (
    ("off", "demo", False, True, False, NOTHING, "off"),
    ("off", "dev", True, True, True, NOTHING, "off"),
    ("off", "production", True, True, True, NOTHING, "off"),
    ("closed-case", "demo", False, True, False, NOTHING, "case-open"),
    ("closed-case", "demo", False, True, True, "summary", ""),
    ("closed-case", "dev", False, True, False, NOTHING, "case-open"),
    ("closed-case", "dev", False, True, True, "summary", ""),
    ("closed-case", "production", False, True, False, NOTHING, "case-open"),
    ("closed-case", "production", True, True, False, NOTHING, "case-open"),
    ("closed-case", "production", False, True, True, "summary", ""),
    ("closed-case", "production", False, False, True, NOTHING, "gates-closed"),
    ("live", "demo", False, True, False, "course", ""),
    ("live", "dev", False, True, False, "course", ""),
    ("live", "dev", False, True, True, "course", ""),
    ("live", "dev", False, False, False, NOTHING, "gates-closed"),
    ("live", "production", True, True, False, "course", ""),
    ("live", "production", True, False, False, NOTHING, "gates-closed"),
    ("live", "production", False, True, False, NOTHING, "device-not-cleared"),
    ("live", "production", False, True, True, "summary", "device-not-cleared"),
)


def _during(mode: DuringMode, *, cleared: bool) -> During:
    return During(mode=mode, device_cleared=CLEARED if cleared else None)


@pytest.mark.parametrize(("mode", "environment", "cleared", "gates", "ended", "what", "why"), TABLE)
def test_the_mode_table(
    mode: DuringMode, environment: Environment, cleared: bool, gates: bool, ended: bool, what: str, why: str
) -> None:
    found = may_show(_during(mode, cleared=cleared), environment, gates_open=gates, ended=ended)
    assert found == DuringAnswer(what, why)  # type: ignore[arg-type]


def test_nothing_is_shown_of_a_running_case_but_live_and_never_live_in_production_without_a_cleared_device() -> None:
    environments: tuple[Environment, ...] = ("demo", "dev", "production")
    modes: tuple[DuringMode, ...] = ("off", "closed-case", "live")
    for mode, environment, cleared, gates, ended in product(modes, environments, *[(False, True)] * 3):
        shown = may_show(_during(mode, cleared=cleared), environment, gates_open=gates, ended=ended).what
        if not ended and shown != NOTHING:
            assert (mode, gates) == ("live", True)
        if environment == "production" and shown == "course":
            assert cleared
        if mode == "off" or not gates:
            assert shown == NOTHING


def test_nothing_is_read_unless_the_file_says_so() -> None:
    assert Tenant(id="a", environment="dev", public_url="http://127.0.0.1").during == During()
    assert During().mode == "off"


@pytest.mark.parametrize(
    ("during", "environment", "names"),
    [
        (During(mode="live"), "production", NOT_FOR_PRODUCTION),
        (During(mode="live", device_cleared=CLEARED), "production", NOT_FOR_PRODUCTION),
        (During(), "production", ""),
        (During(mode="live"), "dev", ""),
        (During(mode="closed-case"), "production", NOT_FOR_PRODUCTION),
        (During(clock_offsets={"Device/a": 90, "urn:b": -86_400}), "production", ""),
        (During(clock_offsets={"Device/a": 86_401}), "dev", "Device/a: within 86400 seconds"),
        (During(clock_offsets={"Device/a": math.nan}), "dev", "within"),
        (During(clock_offsets={" ": 1}), "dev", "characters"),
        (During(clock_offsets={"a" * 257: 1}), "dev", "characters"),
        (During(clock_offsets={f"Device/{n}": 1 for n in range(1001)}), "dev", "at most 1000"),
        (During(device_cleared=DeviceCleared(authority="x", number=" ", approved_by="y")), "dev", "number"),
    ],
)
def test_production_is_refused_whatever_the_mode_and_what_is_stated_has_to_make_sense(
    during: During, environment: Environment, names: str
) -> None:
    found = complaint(during, environment)
    assert names in found
    assert bool(found) == bool(names)
