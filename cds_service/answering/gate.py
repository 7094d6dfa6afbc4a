"""The one gate: whether a tenant is told anything now. Every door asks here, and no other module judges it.

Region (DEC-12), end of the service (R-E14), kill switch (R-E05), hook and mode (R-E01), canary. A call, the SMART
profile, a result read back and the list of services all ask here; tests/cds_service/answering/test_gate.py walks over
them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from cds_service.answering import modes
from cds_service.records.database import DatabaseError
from cds_service.records.records import Records
from cds_service.records.switches import Switch, Switches, SwitchScope
from cds_service.tenants.tenant import Hook, ModeInForce, Tenant
from cds_service.trust.errors import Forbidden, NotReady

Shut = Literal["kill-switch", "mode-off", "mode-silent", "mode-canary", "mode-hold-out", "validation-outdated"]
# What was withheld for one of these was never told to anybody, and is not told by another door either.
SHUT: frozenset[str] = frozenset(get_args(Shut))


class Decision(msgspec.Struct, frozen=True):
    """The mode in force, where it is known, and why nothing may be told; no reason where the gate is open."""

    mode: ModeInForce | None = None
    reason: Shut | None = None


OPEN = Decision()


def switches_now(records: Records, tenant: Tenant) -> Switches:
    """What is switched, with a mark on what is no longer as it was accepted for this tenant (validation/standing.py).

    NotReady where nobody can tell, for nothing may then be shown.
    """
    try:
        return records.marked(tenant, records.switches.current())
    except DatabaseError as error:
        raise NotReady("The service cannot answer now.", retry_after_s=5) from error


def check_accountable(records: Records) -> None:
    """Raise NotReady where no account can be kept of another answer: a deployment that cannot keep one gives none."""
    if (why := records.unwritten()) is not None:
        raise NotReady("The service cannot answer now.", retry_after_s=5) from DatabaseError(why)


def check_region(tenant: Tenant) -> None:
    """Raise Forbidden where the service may not be used: in the EU until it is CE-marked (DEC-12)."""
    if not _is_permitted(tenant):
        raise Forbidden("The service is not available in this region.")


def has_ended(tenant: Tenant, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the service has ended here: from `retired_on` on, a day in the tenant's zone, it says nothing (R-E14)."""
    return tenant.retired_on is not None and at.astimezone(zone).date() >= tenant.retired_on


def is_listed(tenant: Tenant, zone: ZoneInfo, at: datetime) -> bool:
    """Whether discovery lists the service: wherever it may be used and has not ended.

    A kill switch and a mode unlist nothing: clients keep the list for minutes or days, and a call is answered at once.
    """
    return _is_permitted(tenant) and not has_ended(tenant, zone, at)


def is_killed(tenant: Tenant, switches: Switches) -> bool:
    """Whether a kill switch, for this tenant or for all, is thrown."""
    return modes.is_killed(tenant.id, switches)


def hook_of(tenant: Tenant, hook: str) -> Hook:
    """The hook whose mode holds for an answer that no call asked for: its card's, else the tenant's first."""
    return next((own for own in tenant.hooks if own == hook), tenant.hooks[0])


def before(tenant: Tenant, zone: ZoneInfo, hook: str, at: datetime, switches: Switches) -> Decision:
    """What holds whoever asks and whatever is ordered, so that nothing need be computed. Raises Forbidden."""
    check_region(tenant)
    if is_killed(tenant, switches):
        return Decision(reason="kill-switch")
    if hook not in tenant.hooks or has_ended(tenant, zone, at) or modes.is_off(tenant, hook, switches):
        return Decision("off", "mode-off")
    return OPEN


def after(
    tenant: Tenant, hook: str, group: str | None, user: str, switches: Switches, *, patient: str | None
) -> Decision:
    """What holds for this user and patient, once it is known which operation it is; `before` was asked first.

    A patient of the silent hold-out is shown to nobody where others are, by whichever door (R-F07).
    """
    mode = modes.mode_for(tenant, hook, group, switches)
    if mode == "off":
        return Decision(mode, "mode-off")
    if mode == "silent":
        outdated = modes.is_outdated(tenant, hook, group, switches)
        return Decision(mode, "validation-outdated" if outdated else "mode-silent")
    if mode == "canary" and not modes.is_selected(tenant.canary, tenant.id, user):
        return Decision(mode, "mode-canary")
    if is_held_out(tenant, patient):
        return Decision("hold-out", "mode-hold-out")
    return Decision(mode)


def switched_to_show(tenant_id: str, switches: Switches) -> tuple[SwitchScope, ...]:
    """Where somebody switched that something is shown."""
    return modes.switched_to_show(tenant_id, switches)


def shown_by(tenant: Tenant, switches: Switches) -> tuple[tuple[SwitchScope | None, Switch], ...]:
    """Each rule by which something is shown, a switch's scope or None for the file, with the mark that silences it."""
    scopes = modes.switched_to_show(tenant.id, switches)
    by_file = ((None, modes.outdated_file(tenant.id)),) if modes.shows_by_file(tenant) else ()
    return (*((one, modes.outdated_switch(one)) for one in scopes), *by_file)


def is_held_out(tenant: Tenant, patient: str | None) -> bool:
    """Whether nothing is shown of this patient by any door, for a share of them is held out (R-F07)."""
    return modes.is_held_out(tenant.learning.silent_share, tenant.id, patient)


def is_open_to_all(tenant: Tenant, zone: ZoneInfo, at: datetime, switches: Switches) -> bool:
    """Whether everybody here may be told something that belongs to no hook and no operation. Raises Forbidden."""
    hook = tenant.hooks[0]
    shut = before(tenant, zone, hook, at, switches).reason is not None
    return not shut and modes.mode_for(tenant, hook, None, switches) == "on"


def _is_permitted(tenant: Tenant) -> bool:
    return tenant.region.upper() != "EU" or tenant.ce_marked
