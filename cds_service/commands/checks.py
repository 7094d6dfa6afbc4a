"""What has to hold before the service starts, each with what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from cds_service.commands import faults
from cds_service.operations import logs
from cds_service.trust.secret_text import SUFFIX
from cds_service.web import environment
from cds_service.web.settings import Settings

# The arbiter imports this file, and must not load onnxruntime (tests/cds_service/commands/test_checks.py).
if TYPE_CHECKING:
    from cds_service.tenant_runtime import TenantRuntime
    from cds_service.tenants.tenant import Tenant

NO_TENANTS = "none is named (--tenants or CDS_TENANTS): checked as the demo is served; `serve` does not start without"


class Check(msgspec.Struct, frozen=True):
    """One thing verified, whether it holds, and what to tell; a warning stops nothing and has to be read."""

    what: str
    ok: bool
    told: str  # "" where nothing could be looked at, of which a warning says why
    warnings: tuple[str, ...] = ()


Walk = Callable[["TenantRuntime"], Iterator[Check]]


def run(
    settings: Settings,
    *,
    else_demo: bool = False,
    walk: Walk | None = None,
    opened: Sequence[TenantRuntime] | None = None,
) -> tuple[Check, ...]:
    """Mapping, models, tenants and what the environment asks for, in the order in which a start needs them.

    `else_demo`: where no tenants are named, the demo's is looked at, with a warning; a start refuses that.
    `walk`: also asks a tenant's servers. `opened`: the tenants, where somebody has read them.
    """
    nobody = else_demo and settings.tenants is None and not settings.demo
    return (
        _check("mapping", _mapping),
        _check("models", lambda: _models(settings)),
        *([_check("added models", lambda: _added_models(settings))] if settings.site_models else []),
        _database(settings.database_url),
        *_tenants(
            settings.model_copy(update={"demo": True}) if nobody else settings, nobody=nobody, walk=walk, read=opened
        ),
        _check("traces", _traces),
    )


def _check(what: str, verify: Callable[[], str], *warnings: str) -> Check:
    try:
        return Check(what, ok=True, told=verify(), warnings=warnings)
    except Exception as error:  # noqa: BLE001 — whatever is wrong is what the operator has to read
        told = faults.plain(error) or f"a fault of the program, at {logs.where(error)}: {error}"
        return Check(what, ok=False, told=told)


def _mapping() -> str:
    from fhir_mappings.features.features import FEATURES  # noqa: PLC0415 — an unreadable value set shows here

    return f"{len(FEATURES)} features, every value set readable"


def _models(settings: Settings) -> str:
    from cds_service.answering.models_in_force import open_models  # noqa: PLC0415

    models = open_models(settings.models, class_b=settings.class_b, key=settings.models_key)
    return f"{len(models.cards)} models, hashes and golden scores right: " + ", ".join(
        f"{card.name} {card.version}" for card in models.cards
    )


def _added_models(settings: Settings) -> str:
    from cds_service.answering.models_in_force import open_added, open_models  # noqa: PLC0415

    added = open_added(
        settings.site_models, open_models(settings.models, class_b=settings.class_b, key=settings.models_key)
    )
    told = [
        f"{name} {one.card.version}{'' if one.card.validation else ' (not validated)'}"
        for name, one in added.by_name.items()
    ]
    return ", ".join(told) or "none"


def _database(url: str) -> Check:
    """Whether the record can be kept: reachable, at this version's schema, writable; and how large it is."""
    from cds_service.records import inspection  # noqa: PLC0415

    warnings: list[str] = []
    found = _check("database", lambda: inspection.inspect(url, warnings.append))
    return msgspec.structs.replace(found, warnings=tuple(warnings))


def _traces() -> str:
    from cds_service.operations import traces  # noqa: PLC0415

    return traces.exporter_named(os.environ) or "off"


def _tenants(
    settings: Settings, *, nobody: bool, walk: Walk | None, read: Sequence[TenantRuntime] | None
) -> Iterator[Check]:
    from cds_service.answering import site_model_inputs  # noqa: PLC0415
    from cds_service.web.deployments import open_sites, refuse_absent_models  # noqa: PLC0415
    from models_onnx.added import shelf  # noqa: PLC0415

    sites: list[TenantRuntime] = []

    def opened() -> str:
        sites.extend(read or open_sites(settings))
        own = shelf.cards(settings.site_models) if settings.site_models else {}
        refuse_absent_models(sites, own)
        site_model_inputs.refuse_unread([(site.tenant, site.own) for site in sites], own, settings.tenants)
        return ", ".join(_told(site) for site in sites)

    yield _check("tenants", opened, *((NO_TENANTS,) if nobody else ()))
    named = [site.tenant.terminology.token_variable for site in sites if site.tenant.terminology]
    secrets = [one for site in sites for one in _secrets_of_source(site.tenant)]
    tokens = [variable for one in (*named, *secrets) if one for variable in (one, f"{one}{SUFFIX}")]
    yield _check("environment", lambda: environment.check(os.environ, also=tokens))
    yield from map(_secret, secrets)
    yield from map(_order_codes, sites)
    yield from map(_floors, sites)
    yield from (_shown(site, settings) for site in sites if site.tenant.is_production)
    yield from (one for site in sites if walk is not None for one in walk(site))
    yield from (_added(site) for site in sites if site.tenant.site_folder is not None)


def _secrets_of_source(tenant: Tenant) -> tuple[str, ...]:
    """The variables that hold what a source of cases shows, and what it is asked with."""
    source = tenant.during.source
    named = (source.header_variable, source.token_variable) if source is not None else ()
    return tuple(one for one in named if one is not None)


def _secret(variable: str) -> Check:
    """Whether a secret that a tenant's file names is there: without it nothing is let in, or asked without a token."""
    from cds_service.during_subscriptions import source_server  # noqa: PLC0415

    held = source_server.secret(variable) is not None
    return Check("secret", ok=held, told=f"{variable} is {'there' if held else 'absent, empty or not readable'}")


def _order_codes(site: TenantRuntime) -> Check:
    """By how many codes of which code system a tenant's orders are known, with a warning for each that has none."""
    from fhir_mappings.orders import operation_codes  # noqa: PLC0415

    found, of = operation_codes.known(site.value_sets, site.maps), f" ({site.tenant.id})"
    warnings = tuple(gap + of for gap in operation_codes.gaps(found))
    return Check("order codes", ok=True, told=operation_codes.counts_in_words(found) + of, warnings=warnings)


def _floors(site: TenantRuntime) -> Check:
    """From which risk a card opens (DEC-39), with a warning where one number still stands for every outcome."""
    of, tenant = f" ({site.tenant.id})", site.tenant
    if not any(site.card_floors.values()):
        return Check("card floors", ok=True, told=f"always a card{of}")
    told = ", ".join(f"{outcome} {floor:g}" for outcome, floor in site.card_floors.items()) + of
    old = (f"card_floor is read in this version only; write card_floors: {{outcome: probability}}{of}",)
    return Check("card floors", ok=True, told=told, warnings=old if tenant.card_floor is not None else ())


def _shown(site: TenantRuntime, settings: Settings) -> Check:
    """Whether what this tenant is shown is still as it was accepted; a start is not refused for it, but silent."""
    from cds_service.commands import go_live_check, kept_record  # noqa: PLC0415

    of = go_live_check.Of(settings.models, settings.site_models, settings.class_b)
    try:
        with kept_record.opened(settings.database_url) as engine:
            told, warnings = go_live_check.warnings(engine, site.tenant, of)
    except Exception as error:  # noqa: BLE001 — what is wrong with models or record is told by their own lines
        why = faults.plain(error) or f"a fault of the program, at {logs.where(error)}"
        told, warnings = "", (f"not looked at: {why} ({site.tenant.id})",)
    return Check("shown", ok=True, told=told, warnings=warnings)


def _added(site: TenantRuntime) -> Check:
    """What the site added, with a warning for each code that means another idea than it did."""
    from cds_service import site_folder  # noqa: PLC0415

    of = f" ({site.tenant.id})"
    return Check(
        "site folder", True, site_folder.added_in_words(site.own) + of, tuple(one.told + of for one in site.own.moved)
    )


def _told(site: TenantRuntime) -> str:
    """A tenant, which value sets it has from its terminology server, and what of SNOMED CT is understood."""
    from cds_service.patient_data import terminology_server  # noqa: PLC0415

    sets = "".join(f"; {one.told}" for one in site.terminology)
    snomed = terminology_server.snomed_told(site.value_sets, site.terminology)
    return f"{site.tenant.id} ({site.tenant.environment}, {site.tenant.mode}{sets}; {snomed})"
