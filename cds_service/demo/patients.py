"""Invented people, each in a file named for its oddity; their dates are days before today, so that none grows stale."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from models_onnx import data_files

FOLDER = Path(__file__).with_name("patients")
_DAYS = re.compile(r"@-(\d+)d")
_YEARS = re.compile(r"@-(\d+)y")
_BIRTHDAY_WAS_DAYS_AGO = 100
_PLANNED_DAYS = 21


class _Order(msgspec.Struct, frozen=True):
    system: str
    code: str


class _File(msgspec.Struct, frozen=True):
    id: str
    name: str
    story: str
    order: _Order
    resources: tuple[dict[str, Any], ...]


class DemoPatient(msgspec.Struct, frozen=True):
    """One invented person: `order` is the (system, code) of the operation that suits the story."""

    id: str
    name: str
    story: str
    order: tuple[str, str]
    resources: tuple[dict[str, Any], ...]


def load(as_of: datetime) -> tuple[DemoPatient, ...]:
    """Everyone, in the order of the files, as of the day of `as_of` (aware): one day long the same, to the byte."""
    today = _midnight(as_of)
    return tuple(
        DemoPatient(
            id=file.id,
            name=file.name,
            story=file.story,
            order=(file.order.system, file.order.code),
            resources=tuple(_dated(resource, today) for resource in file.resources),
        )
        for file in _files()
    )


def everything(as_of: datetime) -> tuple[dict[str, Any], ...]:
    """Every resource of everyone, as of `as_of`, each one's planned operation among them."""
    return tuple(resource for person in load(as_of) for resource in (*person.resources, planned(person, as_of)))


def planned(person: DemoPatient, as_of: datetime) -> dict[str, Any]:
    """The signed order of the operation that suits the story, three weeks ahead, as it stands in the demo's chart."""
    system, code = person.order
    return {
        "resourceType": "ServiceRequest",
        "id": f"{person.id}-operation",
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{person.id}"},
        "occurrenceDateTime": (_midnight(as_of) + timedelta(days=_PLANNED_DAYS)).date().isoformat(),
        "authoredOn": (_midnight(as_of) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@cache
def _files() -> tuple[_File, ...]:
    paths = sorted(FOLDER.glob("*.json"))
    return tuple(data_files.read_json(path, _File) for path in paths)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _dated(value: Any, as_of: datetime) -> Any:
    """`@-12d` becomes the instant 12 days before; `@-72y` the birth date of someone who is 72."""
    if isinstance(value, dict):
        return {name: _dated(member, as_of) for name, member in value.items()}
    if isinstance(value, list):
        return [_dated(member, as_of) for member in value]
    if not isinstance(value, str):
        return value
    if days := _DAYS.fullmatch(value):
        return (as_of - timedelta(days=int(days[1]))).strftime("%Y-%m-%dT%H:%M:%SZ")
    if years := _YEARS.fullmatch(value):
        return _born(as_of.date() - timedelta(days=_BIRTHDAY_WAS_DAYS_AGO), int(years[1])).isoformat()
    return value


def _born(birthday: date, years: int) -> date:
    return birthday.replace(year=birthday.year - years, day=min(birthday.day, 28))
