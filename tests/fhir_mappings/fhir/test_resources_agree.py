"""The readers and fhir.resources agree on code, value, unit, time and status, on every sample in the repository."""

from __future__ import annotations

import importlib
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from fhir_mappings.fhir import resources
from fhir_mappings.fhir.dates import moment
from fhir_mappings.fhir.resources import Resource
from fhir_mappings.report import bulk_files
from tests.builders import (
    a_condition,
    a_medication_request,
    a_patient,
    a_procedure,
    an_observation,
)

UTC = ZoneInfo("UTC")
ROOT = Path(__file__).resolve().parents[3]
KINDS = {kind.__struct_config__.tag: kind for kind in Resource.__args__}
DECODER = msgspec.json.Decoder(Resource)
# What the library refuses and hospitals send (measured): a sample of it is read by us alone.
REFUSED_BY_THE_LIBRARY = (ValueError,)


def samples(value: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a type that is read, wherever in a JSON document it stands."""
    if isinstance(value, dict):
        if value.get("resourceType") in KINDS:
            yield value
        for inner in value.values():
            yield from samples(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from samples(inner)


def documents() -> Iterator[Any]:
    for folder in (ROOT / "tests" / "patients", ROOT / "cds_service" / "demo"):
        for path in sorted(folder.rglob("*.json")):
            yield json.loads(path.read_text(encoding="utf-8"))
    yield [a_patient(), a_condition(), an_observation(), a_medication_request(), a_procedure("http://x", "1")]


def read_by_library(sample: dict[str, Any]) -> dict[str, Any] | None:
    kind = sample["resourceType"]
    model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = model.model_validate(sample).model_dump_json()
        except REFUSED_BY_THE_LIBRARY:
            return None
    found: dict[str, Any] = json.loads(text)
    return found


def read_by_us(sample: dict[str, Any]) -> Any:
    try:
        return plain(DECODER.decode(json.dumps(sample).encode()))
    except msgspec.ValidationError:
        return None


def plain(value: Any) -> Any:
    """A struct as its JSON members; what is kept as JSON, unread, is compared by nobody."""
    if isinstance(value, msgspec.Struct):
        members = {one.encode_name: plain(getattr(value, one.name)) for one in msgspec.structs.fields(value)}
        return members | {"code": plain(value.code)} if isinstance(value, resources.Observation) else members
    if isinstance(value, tuple):
        return [plain(inner) for inner in value if not isinstance(inner, msgspec.Raw)]
    return None if isinstance(value, msgspec.Raw) else value


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Where we read something else than the library; what we do not read at all is no difference."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            if value not in (None, [], (), {}) and value != "":
                yield from differences(value, theirs.get(key) if isinstance(theirs, dict) else None, f"{where}.{key}")
    elif isinstance(ours, list | tuple):
        others = theirs if isinstance(theirs, list) else []
        for position, value in enumerate(ours):
            yield from differences(value, others[position] if position < len(others) else None, f"{where}[{position}]")
    elif not _same(ours, theirs):
        yield f"{where}: {ours!r} is not {theirs!r}"


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, int | float) and not isinstance(ours, bool):
        return theirs is not None and float(ours) == float(theirs)
    if isinstance(ours, str) and isinstance(theirs, str) and "T" in ours and ours != theirs:
        one, other = moment(ours, UTC), moment(theirs, UTC)
        return one is not None and other is not None and one.time == other.time
    return bool(ours == theirs)


def disagreements(found: Iterator[dict[str, Any]]) -> tuple[int, list[str]]:
    compared, wrong = 0, []
    for sample in found:
        ours, theirs = read_by_us(sample), read_by_library(sample)
        if ours is None or theirs is None:
            continue
        compared += 1
        wrong += [f"{sample.get('id')}{one}" for one in differences(ours, theirs)]
    return compared, wrong


def test_readers_and_library_agree_on_every_sample_in_the_repository() -> None:
    compared, wrong = disagreements(sample for document in documents() for sample in samples(document))
    assert wrong == []
    assert compared > 200


@pytest.mark.shared
def test_readers_and_library_agree_on_synthea(shared: Path) -> None:
    some = (
        json.loads(bytes(raw))
        for number, (_, raw) in enumerate(bulk_files.resources(shared / "fhir" / "synthea", Counter()))
        if number % 200 == 0
    )
    compared, wrong = disagreements(one for one in some if one["resourceType"] in KINDS)
    assert wrong == []
    assert compared > 300


def test_a_difference_would_be_seen() -> None:
    assert list(differences({"status": "final"}, {"status": "amended"})) == [".status: 'final' is not 'amended'"]


def test_every_member_that_is_read_is_a_member_of_the_resource_in_r4() -> None:
    for kind, reader in KINDS.items():
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        known = {field.alias or name for name, field in model.model_fields.items()} | {"_birthDate"}
        ours = {field.encode_name for field in msgspec.structs.fields(reader) if field.type is not type(None)}
        assert ours - known == set(), kind
    assert resources.Observation is KINDS["Observation"]
