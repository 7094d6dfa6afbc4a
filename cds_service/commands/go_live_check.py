"""What is accepted when cards are switched on, and whether that still holds: for `mode set`, `check` and others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from cds_service.tenants.tenant import Tenant
    from cds_service.validation.told_models import ToldModels

# So long before the end `check` says that a new report is due.
SOON = timedelta(days=30)


class Of(NamedTuple):
    """Which models the service tells, as its settings name them."""

    directory: Path | None
    added: Path | None
    class_b: bool


def of_now(engine: Any, tenant: Tenant, of: Of) -> tuple[tuple[str, ...], bytes]:
    """Why nothing may be shown, in words, and what would be accepted now."""
    from cds_service.validation import go_live  # noqa: PLC0415

    told, find = _told(engine, tenant, of), _finding(engine, tenant)
    why = go_live.refusals(tenant, find, told=told, today=datetime.now(UTC).date())
    return why, msgspec.json.encode(go_live.accepted_now(tenant, find, told))


def warnings(engine: Any, tenant: Tenant, of: Of) -> tuple[str, tuple[str, ...]]:
    """What a production tenant shows, in words, and what has to be read about it."""
    from cds_service.answering import gate  # noqa: PLC0415
    from cds_service.records import switches  # noqa: PLC0415
    from cds_service.validation import go_live  # noqa: PLC0415

    today, find = datetime.now(UTC).date(), _finding(engine, tenant)
    set_now, name = switches.every_switch(engine), f" ({tenant.id})"
    if not gate.shown_by(tenant, set_now):
        return f"nothing is shown{name}", ()
    found = go_live.outdated(
        tenant, set_now, switches.accepted(engine, set_now), find, told=_told(engine, tenant, of), today=today
    )
    if found:
        why = dict.fromkeys(one for outdated in found for one in outdated.why)
        return f"answered as silent (validation-outdated){name}", tuple(one + name for one in why)
    return f"as it was accepted{name}", tuple(one + name for one in _soon(go_live.ends_on(tenant, find), today))


def is_switched_on(engine: Any, tenant_id: str) -> bool:
    """Whether somebody switched that something is shown there."""
    from cds_service.answering import gate  # noqa: PLC0415
    from cds_service.records import switches  # noqa: PLC0415

    return bool(gate.switched_to_show(tenant_id, switches.every_switch(engine)))


def _soon(end: date | None, today: date) -> Iterator[str]:
    if end is None:
        yield (
            "the file itself says what is shown, and names no report by its sha256: nothing looks whether models, "
            "recalibrations or limits are still those of the report (keep mode: silent, and use `mode set`)"
        )
    elif end - today <= SOON:
        yield f"from {end + timedelta(days=1)} on nothing is shown: the report is too old then, make a new one"


def _told(engine: Any, tenant: Tenant, of: Of) -> ToldModels:
    from cds_service.records import recalibrations  # noqa: PLC0415
    from cds_service.validation import told_models  # noqa: PLC0415
    from models_onnx import registry  # noqa: PLC0415
    from models_onnx.added import shelf  # noqa: PLC0415

    models = registry.load(of.directory or registry.PACKAGE, class_b=of.class_b)
    moved = recalibrations.in_force(engine).get(tenant.id, {})
    return told_models.told_to(tenant, models, shelf.load(of.added), moved)


def _finding(engine: Any, tenant: Tenant) -> Callable[[str], bytes | None]:
    from cds_service.records import validation_reports  # noqa: PLC0415

    return lambda sha256: validation_reports.find(engine, tenant.id, sha256)
