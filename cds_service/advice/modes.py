"""Which mode is in force for a hook and a procedure group, and who is shown cards in mode canary (R-E01)."""

from __future__ import annotations

import hashlib

from cds_service.tenant import Mode, Tenant


def in_force(tenant: Tenant, *, hook: str, procedure_group: str) -> Mode:
    """The mode of the most specific rule that fits: hook and group, then either, then the tenant's own.

    Of two rules as specific as each other the stricter one counts.
    """
    order: tuple[Mode, ...] = ("off", "silent", "canary", "on")
    fitting = [
        ((rule.hook is not None) + (rule.procedure_group is not None), -order.index(rule.mode), rule.mode)
        for rule in tenant.modes
        if rule.hook in (None, hook) and rule.procedure_group in (None, procedure_group)
    ]
    return max(fitting)[2] if fitting else tenant.mode


def is_in_canary(tenant: Tenant, user_id: str) -> bool:
    """Whether this user is named, or falls into the tenant's share by a hash that never changes."""
    if user_id in tenant.canary.users:
        return True
    digest = hashlib.sha256(f"{tenant.id}\n{user_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 * 100 < tenant.canary.percent
