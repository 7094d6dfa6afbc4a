"""Each outcome by groups of people, with few people hidden so that no table of the report gives them back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cds_service.measures import agreement, discrimination, small_cells
from cds_service.measures.intervals import NONE, Figure
from cds_service.validation import told_counts
from cds_service.validation.collected import IN_RECORD, NOT_RECORDED, ONLY_IN_A_FILE, ValidatedOperation
from cds_service.validation.outcome_figures import ScoredCase, arrays
from cds_service.validation.told_counts import CountTable


class GroupFigures(msgspec.Struct, frozen=True):
    """One group of one outcome; nothing but its name where it may not be told."""

    name: str
    events: int | None = None
    o_e: Figure = NONE
    auroc: Figure = NONE
    intercept: Figure = NONE


class GroupOutcome(msgspec.Struct, frozen=True):
    """One outcome by the groups of one dimension; `together`: the events of those that are hidden, in one."""

    outcome: str
    groups: tuple[GroupFigures, ...]
    together: int | None


class GroupTable(msgspec.Struct, frozen=True):
    """One dimension: how many operations each group has, and each outcome by it. Not `recorded`: nothing is known."""

    dimension: str
    recorded: bool
    operations: CountTable
    outcomes: tuple[GroupOutcome, ...]


def tables(
    operations: Sequence[ValidatedOperation], cases: Mapping[str, Sequence[ScoredCase]]
) -> tuple[GroupTable, ...]:
    """Every dimension that can be asked for; `cases` by outcome."""
    return tuple(_table(dimension, operations, cases) for dimension in (*IN_RECORD, *ONLY_IN_A_FILE))


def _table(
    dimension: str, operations: Sequence[ValidatedOperation], cases: Mapping[str, Sequence[ScoredCase]]
) -> GroupTable:
    counts = Counter(one.cohorts.get(dimension, NOT_RECORDED) for one in operations)
    if set(counts) <= {NOT_RECORDED}:
        return GroupTable(dimension, recorded=False, operations=CountTable(None, ()), outcomes=())
    ordered = {name: counts[name] for name in sorted(counts)}
    few = _few(dimension, operations)
    of = tuple(_outcome(dimension, ordered, outcome, found, few) for outcome, found in cases.items() if found)
    return GroupTable(dimension, recorded=True, operations=told_counts.table(ordered, few=few), outcomes=of)


def _few(dimension: str, operations: Iterable[ValidatedOperation]) -> frozenset[str]:
    """The groups of few people, who may have had many operations. Each whose person is not kept counts as one."""
    people: dict[str, set[str]] = defaultdict(set)
    for one in operations:
        name = one.cohorts.get(dimension, NOT_RECORDED)
        people[name].add(one.evaluation_id if one.person is None else f"person {one.person}")
    return frozenset(name for name, those in people.items() if len(those) < small_cells.LEAST)


def _outcome(
    dimension: str, counts: Mapping[str, int], outcome: str, cases: Sequence[ScoredCase], few: frozenset[str]
) -> GroupOutcome:
    """The number of operations is told once for all outcomes: two numbers of one group would differ by a few people.

    How many of a group have a known outcome is told nowhere, and a group of few such is hidden as one of few events.
    """
    by: dict[str, list[ScoredCase]] = defaultdict(list)
    for one in cases:
        by[one.operation.cohorts.get(dimension, NOT_RECORDED)].append(one)
    events = {name: sum(one.happened for one in by[name]) for name in counts}
    known = {name: len(by[name]) for name in counts}
    few_known = _few(dimension, [one.operation for one in cases])
    also = small_cells.hidden(counts, also=few) | small_cells.hidden(known, also=few_known)
    hide = small_cells.hidden_events(known, events, also=also)
    left = sum(events[name] for name in hide)
    whole = small_cells.is_told(len(cases), sum(events.values()))
    found = tuple(
        GroupFigures(name) if name in hide or not whole else _figures(name, by[name], events[name]) for name in counts
    )
    is_told = whole and small_cells.is_told(sum(known[name] for name in hide), left)
    return GroupOutcome(outcome, found, left if hide and is_told else None)


def _figures(name: str, cases: Sequence[ScoredCase], events: int) -> GroupFigures:
    y, p = arrays(cases)
    return GroupFigures(
        name=name,
        events=events,
        o_e=agreement.observed_to_expected(y, p),
        auroc=discrimination.auroc(y, p),
        intercept=agreement.calibration(y, p).intercept,
    )
