"""Of several versions of one resource the newest: by its instant, else by its number; where neither tells, none."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON


class _VersionMeta(Struct, frozen=True, rename="camel"):
    last_updated: str | None = None
    version_id: str | None = None


class _Versioned(Struct, frozen=True, rename="camel"):
    resource_type: str = ""
    id: str | None = None
    meta: _VersionMeta = _VersionMeta()


class OneVersionEach(Struct, frozen=True):
    """Each resource once, in the order in which it first came; `unclear`: types of those of which nobody can tell."""

    resources: tuple[Raw, ...]
    unclear: tuple[str, ...] = ()


_DECODER = msgspec.json.Decoder(_Versioned)


def one_version_each(resources: Iterable[Raw], zone: ZoneInfo) -> OneVersionEach:
    """Resources without an id, and those that cannot be read, stay as they are."""
    alone: list[Raw] = []
    versions: dict[tuple[str, str], list[tuple[_VersionMeta, Raw]]] = {}
    for raw in resources:
        try:
            one = _DECODER.decode(raw)
        except UNREADABLE_JSON:
            one = _Versioned()
        if one.id and one.resource_type:
            versions.setdefault((one.resource_type, one.id), []).append((one.meta, raw))
        else:
            alone.append(raw)
    kept: list[Raw] = []
    unclear: list[str] = []
    for (kind, _), found in versions.items():
        newest = found if len(found) == 1 else _newest(found, zone)
        if len({bytes(raw).strip() for _, raw in newest}) == 1:
            kept.append(newest[0][1])
        else:
            unclear.append(kind)
    return OneVersionEach((*kept, *alone), tuple(unclear))


def _newest(found: list[tuple[_VersionMeta, Raw]], zone: ZoneInfo) -> list[tuple[_VersionMeta, Raw]]:
    """Those of the latest instant, where all have one; else those of the highest number; else all of them."""
    for ranks in ([_updated(one, zone) for one, _ in found], [_number(one) for one, _ in found]):
        known = [rank for rank in ranks if rank is not None]
        if len(known) == len(found) and len(set(known)) > 1:
            return [one for one, rank in zip(found, ranks, strict=True) if rank == max(known)]
    return found


def _updated(of: _VersionMeta, zone: ZoneInfo) -> float | None:
    when = moment(of.last_updated, zone)
    return when.time.timestamp() if when is not None and when.precision == "time" else None


def _number(of: _VersionMeta) -> float | None:
    text = of.version_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
