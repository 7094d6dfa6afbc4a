"""Every prefix of every text of every test patient, and other odd values in its place: a status, never an exception."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cds_service.patient_data import prefetch
from fhir_mappings.features import existing_tests, features
from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.fhir.decode_resources import WrongPatientError
from fhir_mappings.fhir.search_result import SearchResults
from fhir_mappings.patient import patient_record
from tests.builders import DEMO_MAPS, a_planned_procedure
from tests.fhir_mappings.test_messy_data import CASES, READABLE, patient_of, raw, request_of, searches_of

Path = tuple[str | int, ...]
Change = tuple[str, str, Path, Any]
SEED = 20261129
ODD: tuple[Any, ...] = (
    None, 5, -1, 1.5, 1e300, True, [], {}, [None], {"": ""}, " ", "\x00", "2026-11-24T08", "2026-11-24 08:00",
    "9999-12-31T23:59:59-12:00", "0001-01-01", "2026-1-4", "24.11.2026", "Patient/", "/", "http://[", "{", "10*", "٣",
)  # fmt: skip
PROCEDURE = a_planned_procedure()


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Where each text stands in a piece of JSON."""
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from leaves(inner, (*path, name))


def with_another(content: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(content)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return changed


def variants() -> Iterator[Change]:
    """Case, prefetch key, place and what stands there instead; a text of the same member and value once."""
    seen = set()
    for name in READABLE:
        for key, content in request_of(name)["prefetch"].items():
            for path, text in leaves(content):
                member = tuple(one for one in path if isinstance(one, str))
                if (member, text) in seen:
                    continue
                seen.add((member, text))
                yield from ((name, key, path, text[:length]) for length in range(len(text)))
                yield from ((name, key, path, odd) for odd in ODD)


def read(name: str, key: str, content: Any, searches: SearchResults) -> set[str]:
    """The names of what is derived; that nothing raises is what is tested."""
    page = prefetch.read_page(raw(content))
    zone, as_of = ZoneInfo(CASES[name]["zone"]), datetime.fromisoformat(CASES[name]["as_of"])
    try:
        record = patient_record.read_record(
            {**searches, key: page.result},
            patient_id=patient_of(request_of(name)),
            as_of=as_of,
            zone=zone,
            maps=DEMO_MAPS,
        )
    except WrongPatientError:
        return set(FEATURES)
    existing_tests.read_existing_tests(record)
    return set(features.derive(record, PROCEDURE))


def check(changed: Iterable[Change]) -> None:
    requests = {name: request_of(name) for name in READABLE}
    searches = {name: searches_of(request, CASES[name]) for name, request in requests.items()}
    for name, key, path, value in changed:
        content = with_another(requests[name]["prefetch"][key], path, value) if path else value
        try:
            found = read(name, key, content, searches[name])
        except Exception as error:
            raise AssertionError(f"{name}, {key}, {path}: {json.dumps(value)}: {error!r}") from error
        assert found >= set(FEATURES) - {"procedure_group"}


def test_every_prefix_and_odd_value_gives_a_status() -> None:
    everything = list(variants())
    assert len(everything) > 9_000
    check(everything)


def several_at_once(count: int) -> Iterator[Change]:
    """Two more places of the same list changed beside each, at random."""
    everything, chance = list(variants()), random.Random(SEED)
    by_list: dict[tuple[str, str], list[Change]] = {}
    for one in everything:
        by_list.setdefault(one[:2], []).append(one)
    for name, key, _, _ in chance.choices(everything, k=count):
        content = request_of(name)["prefetch"][key]
        for _, _, path, value in chance.choices(by_list[name, key], k=3):
            with contextlib.suppress(KeyError, IndexError, TypeError):  # the place is gone already
                content = with_another(content, path, value)
        yield name, key, (), content


def test_several_odd_values_at_once_give_a_status() -> None:
    check(several_at_once(2_000))


@pytest.mark.long
def test_a_great_many_odd_values_at_once_give_a_status() -> None:
    check(several_at_once(60_000))


@pytest.mark.parametrize("members", ODD)
def test_a_whole_resource_of_another_shape_gives_a_status(members: Any) -> None:
    entry = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": members}]}
    name = READABLE[0]
    assert msgspec.json.decode(raw(entry))
    assert read(name, "labs", entry, searches_of(request_of(name), CASES[name]))
