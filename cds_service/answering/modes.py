"""Which mode holds for a tenant, hook and procedure group, and who is shown cards while it is tried out (R-E01, R-E05).

A kill switch wins over everything. Then what a person switched at run time, then the tenant file; within either
the most specific rule wins: a procedure group over a hook, a hook over the whole tenant. What was accepted at go-live
and is no longer so (validation/standing.py) stands among the switches as a mark on the rule: that rule is silent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cds_service.records.switches import EVERY, Switch, Switches, SwitchScope
from cds_service.tenants.tenant import Canary, Mode, Tenant

_MODES: dict[str, Mode] = {"off": "off", "silent": "silent", "canary": "canary", "on": "on"}
_SHOWING = ("canary", "on")
_OUTDATED = "outdated"
_OUTDATED_FILE = "outdated-file"
_BUCKETS = 10_000
_EVERYBODY = 100.0


def is_killed(tenant_id: str, switches: Switches) -> bool:
    """Whether a kill switch, for this tenant or for all, is thrown."""
    return any(switch.kind == "kill" and switch.scope.tenant_id in (EVERY, tenant_id) for switch in switches)


def mode_for(tenant: Tenant, hook: str, group: str | None, switches: Switches) -> Mode:
    """The mode in force; without a procedure group only what holds for the hook or the tenant counts.

    Without a local validation a production tenant is never shown anything, whatever was switched (DEC-30).
    """
    mode, mark = _ruling(tenant, hook, group, switches)
    if mode not in _SHOWING or not tenant.is_production:
        return mode
    return "silent" if tenant.local_validation is None or (switches and mark in switches) else mode


def is_outdated(tenant: Tenant, hook: str, group: str | None, switches: Switches) -> bool:
    """Whether something would be shown, had what was accepted at go-live not changed since."""
    mode, mark = _ruling(tenant, hook, group, switches)
    return mode in _SHOWING and tenant.is_production and tenant.local_validation is not None and mark in switches


def _ruling(tenant: Tenant, hook: str, group: str | None, switches: Switches) -> tuple[Mode, Switch]:
    """The mode that wins, and the mark by which its rule would be silent."""
    if not switches and not tenant.modes:
        return tenant.mode, outdated_file(tenant.id)
    switched = [
        (_weight(*where), mode, where) for where, mode in _switched(tenant.id, switches) if _fits(where, hook, group)
    ]
    if switched:
        _, mode, where = max(switched, key=lambda rule: rule[0])
        return mode, outdated_switch(SwitchScope(tenant.id, *where))
    in_file = [(_weight(*where), mode) for where, mode in _in_file(tenant) if _fits(where, hook, group)]
    return max(in_file, key=lambda rule: rule[0])[1], outdated_file(tenant.id)


def outdated_switch(scope: SwitchScope) -> Switch:
    """The mark of a switch whose acceptance no longer holds; never in the database."""
    return Switch(_OUTDATED, scope, "silent")


def outdated_file(tenant_id: str) -> Switch:
    """The mark of a tenant whose file shows by a report that no longer holds; never in the database."""
    return Switch(_OUTDATED_FILE, SwitchScope(tenant_id), "silent")


def switched_to_show(tenant_id: str, switches: Switches) -> tuple[SwitchScope, ...]:
    """Where a person switched that something is shown."""
    return tuple(SwitchScope(tenant_id, *where) for where, mode in _switched(tenant_id, switches) if mode in _SHOWING)


def shows_by_file(tenant: Tenant) -> bool:
    """Whether the tenant's file itself says somewhere that something is shown."""
    return any(mode in _SHOWING for _, mode in _in_file(tenant))


def is_off(tenant: Tenant, hook: str, switches: Switches) -> bool:
    """Whether this hook is off whatever is ordered, so that nothing need be computed."""
    if not switches and not tenant.modes:
        return tenant.mode == "off"
    groups = {group for (_, group), _ in (*_switched(tenant.id, switches), *_in_file(tenant))}
    return all(mode_for(tenant, hook, group or None, switches) == "off" for group in {EVERY, *groups})


def is_selected(canary: Canary, tenant_id: str, user: str) -> bool:
    """Whether this user sees cards in mode `canary`: named, or in the share that a stable hash selects.

    Nobody is chosen who is not known, unless all are.
    """
    if user in canary.users:
        return True
    if not user:
        return canary.percent >= _EVERYBODY
    digest = hashlib.sha256(f"{tenant_id}\x00{user}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % _BUCKETS < canary.percent * (_BUCKETS / 100)


def is_held_out(share: float, tenant_id: str, patient: str | None) -> bool:
    """Whether this patient is of the share of whom nothing is shown: the same in every call, and in every process.

    A patient who is not known is not held out: nobody could say afterwards that they were.
    """
    if not patient or not share:
        return False
    digest = hashlib.sha256(f"hold-out\x00{tenant_id}\x00{patient}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % _BUCKETS < share * _BUCKETS


def _fits(where: tuple[str, str], hook: str, group: str | None) -> bool:
    return where[0] in (EVERY, hook) and where[1] in (EVERY, group)


def _weight(hook: str, group: str) -> int:
    return (2 if group else 0) + (1 if hook else 0)


def _switched(tenant_id: str, switches: Switches) -> Iterator[tuple[tuple[str, str], Mode]]:
    for switch in switches:
        if _is_mode_of(switch, tenant_id):
            yield (switch.scope.hook, switch.scope.procedure_group), _MODES[switch.value]


def _is_mode_of(switch: Switch, tenant_id: str) -> bool:
    return switch.kind == "mode" and switch.value in _MODES and switch.scope.tenant_id == tenant_id


def _in_file(tenant: Tenant) -> Iterator[tuple[tuple[str, str], Mode]]:
    yield (EVERY, EVERY), tenant.mode
    for rule in tenant.modes:
        yield (rule.hook or EVERY, rule.procedure_group or EVERY), rule.mode
