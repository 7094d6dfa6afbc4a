"""What is hidden stays hidden from somebody who subtracts, compares tables, and knows the rule itself."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.measures import small_cells
from cds_service.measures.small_cells import LEAST, TOGETHER, hidden, hidden_events, is_told

NAMES = "abcd"
Told = tuple[object, ...]


def table(counts: Iterable[int]) -> dict[str, int]:
    return dict(zip(NAMES, counts, strict=False))


def told(counts: dict[str, int], is_hidden: frozenset[str], *, total: bool) -> Told:
    """What a reader sees: the total where it may be told, and every count that is not hidden."""
    shown = (None if name in is_hidden else counts[name] for name in counts)
    return (sum(counts.values()) if total else None, *shown)


def of_operations(counts: dict[str, int]) -> Told:
    return told(counts, hidden(counts), total=sum(counts.values()) >= small_cells.LEAST)


def of_events(operations: dict[str, int], events: dict[str, int]) -> Told:
    total = is_told(sum(operations.values()), sum(events.values()))
    return told(events, hidden_events(operations, events), total=total)


def test_no_table_of_counts_can_only_be_one_table() -> None:
    """Every table of three groups up to 33: who knows the rule and inverts it finds no hidden count."""
    worlds: dict[Told, list[tuple[int, ...]]] = defaultdict(list)
    for counts in itertools.product(range(34), repeat=3):
        if sum(counts) <= 33:
            worlds[of_operations(table(counts))].append(counts)
    for seen, possible in worlds.items():
        for place, count in enumerate(seen[1:]):
            assert count is not None or len({one[place] for one in possible}) > 1, (seen, possible)


def every_hospital(most: int) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    for operations in itertools.product(range(most + 1), repeat=3):
        if sum(operations) <= most:
            for events in itertools.product(*(range(n + 1) for n in operations)):
                yield table(operations), table(events)


def test_no_table_of_operations_beside_one_of_events_can_only_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hospital of three groups, with limits a fifth as large, so that all of them can be looked at."""
    monkeypatch.setattr(small_cells, "LEAST", 2)
    monkeypatch.setattr(small_cells, "TOGETHER", 4)
    worlds: dict[Told, list[tuple[int | None, ...]]] = defaultdict(list)
    for operations, events in every_hospital(13):
        view = (*of_operations(operations), *of_events(operations, events))
        worlds[view].append((None, *operations.values(), None, *events.values()))
    looked_at = 0
    for seen, possible in worlds.items():
        for place in (1, 2, 3, 5, 6, 7):
            if seen[place] is None:
                looked_at += 1
                assert len({one[place] for one in possible}) > 1, (seen, possible)
    assert looked_at > 1_000


counts_of = st.lists(st.integers(0, 60), min_size=2, max_size=4)


@settings(max_examples=400, deadline=None)
@given(counts_of, st.data())
def test_what_subtraction_gives_back_is_never_a_small_cell(counts: list[int], data: st.DataObject) -> None:
    operations = table(counts)
    outcomes = [table([data.draw(st.integers(0, n)) for n in counts]) for _ in range(2)]
    is_hidden = hidden(operations)
    left = sum(count for name, count in operations.items() if name in is_hidden)
    assert not is_hidden or len(is_hidden) == len(operations) or (len(is_hidden) > 1 and left >= TOGETHER)
    for events in outcomes:
        also = hidden_events(operations, events)
        assert is_hidden <= also  # no other table of these groups shows what the first one hides
        for name in operations.keys() - also:
            assert min(operations[name], events[name], operations[name] - events[name]) >= LEAST
        if also and len(also) < len(operations):
            for cells in (events, {name: operations[name] - events[name] for name in operations}):
                assert sum(cells[name] for name in also) >= TOGETHER
            assert len(also) > 1
