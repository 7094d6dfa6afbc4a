"""The CDS Services offered: `surgical-risk` for every hook at which surgery is ordered or planned (DEC-08).

Reference clients key services by URL and id, and forget all but the last of one id: theirs have one for each hook
besides, `surgical-risk-order-select` and so on (DEC-43).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import get_args

import msgspec

from cds_service.tenants.tenant import Hook, Tenant

SERVICE_ID = "surgical-risk"
# Offered to every client; appointment-book and patient-view only to tenants whose file lists them.
HOOKS: tuple[Hook, ...] = ("order-select", "order-sign")

# R-A01: the same words in discovery, on every model page and on the card's page.
INTENDED_USE = (
    "Estimates the risk of a planned operation for adults having a listed elective procedure, to inform clinicians"
    " planning it at least 24 hours before surgery. Informs only; not for emergency care."
)
USAGE = (
    "Needs the Patient, by prefetch or by access to the FHIR server. Every other prefetch key is optional:"
    " what is left out is fetched where access is given, and what could not be had is named on the card."
)


class Service(msgspec.Struct, frozen=True, rename={"usage_requirements": "usageRequirements"}):
    """One entry of the discovery response."""

    hook: str
    id: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]


class Discovery(msgspec.Struct, frozen=True):
    """The body of `GET /cds-services`."""

    services: tuple[Service, ...]


def offered(opted: Sequence[Hook]) -> tuple[Hook, ...]:
    """The hooks that a tenant may be called for: those offered to all, and those that its file opts in to."""
    return (*HOOKS, *(hook for hook in opted if hook not in HOOKS))


def id_for(hook: Hook, *, per_hook: bool) -> str:
    """The id under which a hook is listed."""
    return f"{SERVICE_ID}-{hook}" if per_hook else SERVICE_ID


# Every id that any tenant may list, and the hook that it alone stands for.
IDS: Mapping[str, Hook | None] = {SERVICE_ID: None} | {id_for(hook, per_hook=True): hook for hook in get_args(Hook)}


def called_for(service_id: str, tenant: Tenant) -> tuple[Hook, ...]:
    """The hooks that a tenant may be called for under this id; none where it does not list the id (DEC-43)."""
    every, only = offered(tenant.hooks), IDS.get(service_id)
    if only is None:
        return every if service_id in IDS else ()
    return (only,) if only in every and tenant.lists_id_per_hook else ()


def discovery(
    hooks: Sequence[Hook], *, prefetch: Callable[[Hook], Mapping[str, str]], public_url: str, per_hook: bool = False
) -> Discovery:
    """What a client needs to know to call the service: static, with nothing of any patient or model in it."""
    description = f"{INTENDED_USE} Risk-management summary: {public_url.rstrip('/')}/irm"
    return Discovery(
        services=tuple(
            Service(
                hook=hook,
                id=id_for(hook, per_hook=per_hook),
                title="Surgical risk estimate",
                description=description,
                usage_requirements=USAGE,
                prefetch=prefetch(hook),
            )
            for hook in hooks
        )
    )
