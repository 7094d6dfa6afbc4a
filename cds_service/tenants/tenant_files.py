"""The tenants a service starts with: one YAML file each, or the demo tenant built in code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cds_service.tenants.tenant import (
    EVERY_MODEL,
    AdviceSettings,
    Canary,
    Client,
    Environment,
    Jwks,
    Limits,
    LocalValidation,
    Mode,
    ModeRule,
    Tenant,
    WarningThresholds,
)
from cds_service.tenants.tenant_rules import complaints
from cds_service.tenants.tenant_yaml import TenantError, line_of, read_yaml

__all__ = [
    "Canary",
    "Client",
    "Environment",
    "Jwks",
    "Limits",
    "LocalValidation",
    "Mode",
    "ModeRule",
    "Tenant",
    "TenantError",
    "WarningThresholds",
    "check_for",
    "demo_tenant",
    "files_of",
    "load",
    "load_file",
    "place",
]

DEMO_ID = "demo"
_LOOPBACK_BASE_URLS = ("http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*")


def files_of(directory: Path) -> tuple[Path, ...]:
    """The tenant files of the folder (`*.yaml`, `*.yml`), by name. Raises TenantError where there are none."""
    if not directory.is_dir():
        raise TenantError(f"{directory}: there is no such folder of tenants")
    files = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
    if not files:
        raise TenantError(f"{directory}: holds no tenant (*.yaml)")
    return tuple(files)


def load(directory: Path, *, read: Callable[[Path], Tenant] | None = None) -> tuple[Tenant, ...]:
    """Every tenant of the folder, by file name; `read`: of one file. Raises TenantError naming file and line."""
    files = files_of(directory)
    tenants = tuple(map(read or load_file, files))
    ids = Counter(tenant.id for tenant in tenants)
    words = Counter(tenant.local_pages for tenant in tenants)
    for tenant, path in zip(tenants, files, strict=True):
        if ids[tenant.id] > 1:
            raise TenantError(f"{path}:{line_of(path, 'id')}: two tenants are called {tenant.id!r}")
        if tenant.local_pages and words[tenant.local_pages] > 1:
            raise TenantError(f"{path}:{line_of(path, 'local_pages')}: another tenant has the same local_pages")
    _refuse_shared_issuers(tenants, files)
    return tenants


def place(directory: Path, tenant_id: str, member: str) -> str:
    """Where a tenant's file says a member of itself, as `file:line`; the folder where no file is this tenant's."""
    for path in sorted(directory.iterdir()):
        if path.suffix in (".yaml", ".yml") and load_file(path).id == tenant_id:
            return f"{path}:{line_of(path, member)}"
    return str(directory)


def load_file(path: Path) -> Tenant:
    """One tenant file; its paths are read from its own folder. Raises TenantError naming file and line."""
    tenant = read_yaml(path, Tenant, defaults=_defaults)
    folder = path.parent
    tenant = msgspec.structs.replace(
        tenant,
        concept_maps=tuple(folder / name for name in tenant.concept_maps),
        order_maps=tuple(folder / name for name in tenant.order_maps),
        site_folder=folder / tenant.site_folder if tenant.site_folder else None,
        ca_bundle=folder / tenant.ca_bundle if tenant.ca_bundle else None,
    )
    for member, complaint in complaints(tenant):
        raise TenantError(f"{path}:{line_of(path, member)}: {member}: {complaint}")
    return tenant


def _defaults(members: dict[str, Any]) -> dict[str, Any]:
    """Outside production every card is shown and silence explains itself; without clients nobody need authenticate."""
    if members.get("environment") not in ("demo", "dev"):
        return {}
    client_jwt = "required" if members.get("clients") else "optional"
    always = {} if "card_floors" in members else {"card_floor": 0.0}
    return {**always, "explain_silence": True, "client_jwt": client_jwt}


def _refuse_shared_issuers(tenants: Sequence[Tenant], files: Sequence[Path]) -> None:
    """One issuer in two tenants is told apart only by the `tenant` claim, so their lists must not overlap (R-G04)."""
    seen: dict[str, list[frozenset[str]]] = {}
    for tenant, path in zip(tenants, files, strict=True):
        for client in tenant.clients:
            others = seen.setdefault(client.issuer, [])
            claims = frozenset(client.tenants)
            if any(not claims or not other or claims & other for other in others):
                raise TenantError(
                    f"{path}:{line_of(path, 'clients')}: issuer {client.issuer} also calls for another tenant; "
                    "give each client the values of its `tenant` claim as `tenants`, without overlap"
                )
            others.append(claims)


def check_for(tenants: Iterable[Tenant], environment: Environment | None = None) -> None:
    """Raise TenantError if these tenants may not be started together.

    A production start takes production tenants only; a demo start the demo tenant only. Without a stated
    environment one production tenant makes it a production start: nothing open may stand beside real patients.
    """
    tenants = tuple(tenants)
    if environment is None and any(tenant.is_production for tenant in tenants):
        environment = "production"
    if environment in (None, "dev"):
        return
    for tenant in tenants:
        if tenant.environment != environment:
            raise TenantError(
                f"tenant {tenant.id!r} is a {tenant.environment} tenant; a {environment} start refuses it. "
                f"Remove its file, or set `environment: {environment}` in it"
            )


def demo_tenant(public_url: str, *, concept_maps: tuple[Path, ...] = ()) -> Tenant:
    """The tenant of `make run`: no client JWT, any FHIR base URL on the loopback interface, every hook on."""
    return Tenant(
        id=DEMO_ID,
        environment="demo",
        public_url=public_url,
        client_jwt="optional",
        fhir_base_urls=_LOOPBACK_BASE_URLS,
        mode="on",
        hooks=("order-select", "order-sign", "appointment-book", "patient-view"),
        vendor_profile="sandbox",
        card_floor=0.0,
        dedupe_window_s=600.0,
        cors_origins=("https://sandbox.cds-hooks.org", "http://localhost:8080", "http://127.0.0.1:8080"),
        concept_maps=concept_maps,
        explain_silence=True,
        added_models=(EVERY_MODEL,),
        advice=AdviceSettings(smart_launch_url=f"{public_url.rstrip('/')}/smart/launch"),
        limits=Limits(requests_per_s=100_000.0, burst=100_000),
    )
