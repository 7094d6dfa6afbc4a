"""Whether a card may be shown at a production tenant: the report that was signed, judged again as things stand now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_parts import LocalValidation
from cds_service.validation import evidence
from cds_service.validation.evidence import Evidence, ModelInForce

Find = Callable[[str], bytes | None]


def refusals(tenant: Tenant, find: Find, *, models: tuple[ModelInForce, ...], today: date) -> tuple[str, ...]:
    """Why not, in words; nothing where a card may be shown. `find`: the record's evidence by the hash of a report.

    Nothing that a report says of itself is trusted: its hash is computed again, its gates are judged again by the
    tenant's file as it is now, and its models are held against those in force.
    """
    signed = tenant.local_validation
    if signed is None:
        return (f"the file of {tenant.id} has no local_validation (DEC-30)",)
    if not signed.sha256:
        return (
            "local_validation names no sha256: which report was signed is unknown (`cds-service validate` tells it)",
        )
    kept = find(signed.sha256)
    if kept is None:
        return (f"the record holds no report {signed.sha256[:12]}…: it was made elsewhere, or the hash is mistyped",)
    if evidence.digest(kept) != signed.sha256:
        return (f"report {signed.sha256[:12]}… was changed after it was made: its content has another hash",)
    try:
        found = msgspec.json.decode(kept, type=Evidence)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return (f"report {signed.sha256[:12]}… is of a version that this one does not read: make it again",)
    return tuple(_of(found, tenant, signed, models, today))


def _of(
    found: Evidence, tenant: Tenant, signed: LocalValidation, models: tuple[ModelInForce, ...], today: date
) -> Iterator[str]:
    if found.tenant != tenant.id:
        yield f"the report is of tenant {found.tenant}"
    yield from _models(found.models, models)
    yield from _window(found, signed, tenant.validation.days, today)
    for gate in evidence.gates(found, tenant.validation):
        if not gate.passes:
            yield f"{gate.name}: {gate.found}; asked: {gate.asked}"


def _models(validated: tuple[ModelInForce, ...], now: tuple[ModelInForce, ...]) -> Iterator[str]:
    before = {(one.model, one.version): one for one in validated}
    for one in now:
        was = before.pop((one.model, one.version), None)
        if was is None:
            yield f"{one.model} {one.version} answers now and was not validated"
        elif was.sha256 != one.sha256:
            yield f"{one.model} {one.version} is another graph now than the one that was validated (sha256)"
        elif was.recalibration != one.recalibration:
            yield (
                f"{one.model} {one.version} was validated with {_recalibration(was)} and has {_recalibration(one)} now"
            )
    for name, version in before:
        yield f"{name} {version} was validated and does not answer now"


def _recalibration(of: ModelInForce) -> str:
    return f"recalibration {of.recalibration}" if of.recalibration else "no recalibration"


def _window(found: Evidence, signed: LocalValidation, days: int, today: date) -> Iterator[str]:
    age = (today - found.until).days
    if age > days:
        yield f"its window ended {age} days ago, on {found.until}; at most {days} are asked"
    if age < 0:
        yield f"its window ends in the future, on {found.until}"
    if signed.date < found.until:
        yield f"it was signed on {signed.date}, before its window ended on {found.until}"
