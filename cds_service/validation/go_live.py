"""Whether a card may be shown at a production tenant: the report that was signed, judged again as things stand now.

The one rule: `mode set` asks it once, and each worker asks it again whenever models, recalibrations, the tenant's file,
what is switched or the day are others (standing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec

from cds_service import tenant_advice
from cds_service.answering import gate
from cds_service.records.switches import Switch, Switches
from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_parts import LocalValidation
from cds_service.validation import evidence
from cds_service.validation.evidence import Evidence, ModelInForce
from cds_service.validation.told_models import ToldModels

Find = Callable[[str], bytes | None]


# How the codes of a record are read; what the files of a site hold is not looked at.
_READING = ("concept_maps", "site_folder", "code_systems", "terminology")


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """With what cards were switched on, kept in the record beside the switch: what has to be the same since.

    `report`: its hash. `until`: the end of its window. `graphs`: every model that tells something. `limits`: from
    which risk a card opens and warns, which rules may speak, and how data and codes are read, by the member of the
    tenant's file.
    """

    kind: Literal["go-live-1"] = "go-live-1"
    report: str
    until: date | None
    graphs: tuple[str, ...]
    limits: dict[str, str]


class Outdated(msgspec.Struct, frozen=True):
    """What is shown no longer: the mark of a switch or of the tenant's file, and why, in words."""

    mark: Switch
    why: tuple[str, ...]


def accepted_now(tenant: Tenant, find: Find, told: ToldModels) -> Accepted:
    """What would be accepted at this moment."""
    report = tenant.local_validation.sha256 if tenant.local_validation is not None else ""
    kept = find(report) if report else None
    return Accepted(report=report, until=_end(kept), graphs=told.graphs, limits=_limits(tenant))


def outdated(
    tenant: Tenant,
    switches: Switches,
    accepted: Mapping[str, bytes],
    find: Find,
    *,
    told: ToldModels,
    today: date,
) -> tuple[Outdated, ...]:
    """What people or the file show here although it is not, or no longer, as it was accepted.

    A file that itself says `on` is asked for the report that it names by its hash; DEC-30 asks it for no hash.
    """
    signed = tenant.local_validation
    named = signed is not None and bool(signed.sha256)
    rules = [(scope, mark) for scope, mark in gate.shown_by(tenant, switches) if scope is not None or named]
    if not rules or not tenant.is_production:
        return ()
    standing = refusals(tenant, find, told=told, today=today)
    now = accepted_now(tenant, find, told)
    found = [
        (mark, standing if scope is None else (*_changes(accepted.get(str(scope)), now), *standing))
        for scope, mark in rules
    ]
    return tuple(Outdated(mark, why) for mark, why in found if why)


def ends_on(tenant: Tenant, find: Find) -> date | None:
    """The last day on which the signed report is young enough; None where there is no report."""
    signed = tenant.local_validation
    end = _end(find(signed.sha256)) if signed is not None and signed.sha256 else None
    return end + timedelta(days=tenant.validation.days) if end is not None else None


def _end(kept: bytes | None) -> date | None:
    try:
        return msgspec.json.decode(kept, type=Evidence).until if kept is not None else None
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def _limits(tenant: Tenant) -> dict[str, str]:
    floors = tenant_advice.floors(tenant)
    return {
        "card_floors": ", ".join(f"{name} {floor:g}" for name, floor in sorted(floors.items())),
        "warning": f"rare {tenant.warning.rare:g}, common {tenant.warning.common:g}",
        "bands": ", ".join(f"{one:g}" for one in tenant.bands),
        "advice": ", ".join(_rules(tenant)),
        "added_models": ", ".join(sorted(tenant.added_models)),
        "card_for_missing_required": _written(tenant.card_for_missing_required),
        **{f"data.{name}": _written(value) for name, value in msgspec.structs.asdict(tenant.data).items()},
        **{name: _written(getattr(tenant, name)) for name in _READING},
    }


def _written(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted", enc_hook=str).decode()


def _rules(tenant: Tenant) -> Iterator[str]:
    own = tenant.advice
    yield from (f"off {name}" for name in sorted(own.off))
    yield from (f"opt_in {name}" for name in sorted(own.opt_in))
    yield f"hba1c_percent {own.hba1c_percent:g}, of the spine {own.hba1c_percent_spine or own.hba1c_percent:g}"


def _changes(kept: bytes | None, now: Accepted) -> Iterator[str]:
    """What is another than it was when it was switched."""
    if kept is None:
        yield "nothing says with what it was switched on: `mode set` again"
        return
    try:
        was = msgspec.json.decode(kept, type=Accepted)
    except (msgspec.ValidationError, msgspec.DecodeError):
        yield "what was accepted is of a version that this one does not read: `mode set` again"
        return
    if was.report != now.report:
        yield f"it was switched on with report {was.report[:12]}…, and the file signs {now.report[:12] or 'none'}… now"
    gone, come = set(was.graphs) - set(now.graphs), set(now.graphs) - set(was.graphs)
    yield from (f"it was switched on with {one}, which answers no longer" for one in sorted(gone))
    yield from (f"{one} answers now, and did not when it was switched on" for one in sorted(come))
    for name in sorted({*was.limits, *now.limits}):
        before, after = was.limits.get(name, "unsaid"), now.limits.get(name, "unsaid")
        if before != after:
            yield f"{name} was {before or 'empty'} when it was switched on, and is {after or 'empty'} now"


def refusals(tenant: Tenant, find: Find, *, told: ToldModels, today: date) -> tuple[str, ...]:
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
    return (*told.uncovered, *_of(found, tenant, signed, told.judged, today))


def _of(
    found: Evidence, tenant: Tenant, signed: LocalValidation, models: tuple[ModelInForce, ...], today: date
) -> Iterator[str]:
    if found.tenant != tenant.id:
        yield f"the report is of tenant {found.tenant}"
    yield from _models(found.models, models)
    yield from _window(found, signed, tenant.validation.days, today)
    for one in evidence.gates(found, tenant.validation):
        if not one.passes:
            yield f"{one.name}: {one.found}; asked: {one.asked}"


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
