"""The CDS Services offered: one id, `surgical-risk`, for every hook at which surgery is ordered or planned (DEC-08)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from cds_service.tenant import Hook

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


def discovery(hooks: Sequence[Hook], *, prefetch: Callable[[Hook], Mapping[str, str]], public_url: str) -> Discovery:
    """What a client needs to know to call the service: static, with nothing of any patient or model in it."""
    description = f"{INTENDED_USE} Risk-management summary: {public_url.rstrip('/')}/irm"
    return Discovery(
        services=tuple(
            Service(
                hook=hook,
                id=SERVICE_ID,
                title="Surgical risk estimate",
                description=description,
                usage_requirements=USAGE,
                prefetch=prefetch(hook),
            )
            for hook in hooks
        )
    )
