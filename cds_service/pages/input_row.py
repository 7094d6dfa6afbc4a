"""One input of the discrete result as people read it: value, unit, day, where it is from, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from cds_service.advice import number_text
from cds_service.pages.words import FLAG_WORDS, STATUS_WORDS, label, operation, plain
from fhir_mappings.features import reasons

_ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV", 5: "V"}


class InputRow(msgspec.Struct, frozen=True, kw_only=True):
    """One input as a row; `code` is its name in the interface."""

    code: str
    name: str
    value: str
    when: str
    source: str
    status: str
    status_words: str
    good: bool
    note: str
    trend: Markup = Markup("")


def input_row(row: Mapping[str, Any], zone: ZoneInfo) -> InputRow:
    """The row of one input of the result."""
    return InputRow(
        code=row["name"],
        name=label(row["name"]),
        value=_value(row),
        when=_when(row.get("time"), zone),
        source=str(row.get("source", "")),
        status=row["status"],
        status_words=STATUS_WORDS[row["status"]],
        good=row["status"] in ("used", "used-with-conversion"),
        note=_note(row),
    )


def _value(row: Mapping[str, Any]) -> str:
    value = row.get("value")
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else number_text.none_found(row.get("source"), row.get("flags", ()))
    if row["name"] == "asa_class":
        return _ROMAN.get(int(value), str(value))
    if value == "none":
        found = number_text.none_found(row.get("source"), row.get("flags", ()))
        return "none" if found == "no" else found
    if row["name"] == "procedure_group":
        return operation(value)
    told = f"{value:g}" if isinstance(value, int | float) else plain(value)
    return f"{row.get('comparator', '')}{told}{number_text.unit(row.get('unit', ''))}"


def _when(time: str | None, zone: ZoneInfo) -> str:
    if time is None:
        return ""
    day = datetime.fromisoformat(time)
    return number_text.date(day if day.tzinfo else day.replace(tzinfo=zone), zone)


def _note(row: Mapping[str, Any]) -> str:
    notes = [FLAG_WORDS.get(flag, plain(flag)) for flag in row.get("flags", ())]
    if reason := row.get("reason"):
        notes.insert(0, reasons.WORDS.get(reason, plain(reason)))
    if row["status"] == "used-with-conversion" and "recordedValue" in row:
        notes.insert(0, f"recorded as {row['recordedValue']:g} {row.get('recordedUnit', '')}")
    return "; ".join(notes)
