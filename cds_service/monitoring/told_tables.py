"""The tables of a tenant's page with small cells hidden, and so much beside them that nothing gives them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from cds_service.measures.intervals import proportion
from cds_service.monitoring.watch import Watched
from cds_service.records.scores import AGE_BANDS
from cds_service.validation import told_counts

HIDDEN = "not told"
FEW_HAPPENED = "too few happened, or too few did not, to be told"
_BANDS = frozenset(name for _, name in AGE_BANDS)
_REST = "\x00rest"  # who is in no group that has a chart
_ALL = ""


def number(count: int | None) -> str:
    """A count; words where it may not be told."""
    return HIDDEN if count is None else str(count)


def counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """The groups of one total."""
    return [(row.name, number(row.n)) for row in told_counts.table(counts).rows]


def observed(of: Watched) -> Iterator[tuple[str, str, str, str, str, str]]:
    """By outcome and group: operations, happened, predicted and their ratio."""
    told = _told(of)
    for outcome, group, _, _, expected in of.observed:
        n, happened = told[outcome, group]
        predicted = HIDDEN if n is None else f"{expected:.1f}"
        ratio = HIDDEN if n is None or happened is None else _ratio(happened, n, expected)
        yield outcome, group or "all", number(n), number(happened), predicted, ratio


def _ratio(happened: int, n: int, expected: float) -> str:
    """Observed to predicted with its 95 % interval: of the share that happened, as if all had had one risk."""
    share = proportion(happened, n)
    low, high = (n * (one or 0.0) / expected for one in (share.low, share.high))
    return f"{happened / expected:.2f} ({low:.2f} to {high:.2f})"


def labels_told(of: Watched) -> frozenset[str]:
    """The labels of charts, without their way, of which both operations and what happened may be told."""
    return frozenset(", ".join(part for part in key if part) for key, counts in _told(of).items() if None not in counts)


def _told(of: Watched) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    found: dict[tuple[str, str], tuple[int | None, int | None]] = {}
    by: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for outcome, group, n, happened, _ in of.observed:
        by[outcome][group] = (n, happened)
    for outcome, groups in by.items():
        whole = groups.pop(_ALL, None)
        if whole is not None:
            found[outcome, _ALL] = told_counts.total(whole[0]), told_counts.part(*whole)
        bands = {name: of for name, of in groups.items() if name in _BANDS}
        for split in (bands, {name: of for name, of in groups.items() if name not in _BANDS}):
            for name, counts in _split(split, whole).items():
                found[outcome, name] = counts
    return found


def _split(
    groups: dict[str, tuple[int, int]], whole: tuple[int, int] | None
) -> dict[str, tuple[int | None, int | None]]:
    """One total by sex, or by age: the rest of it, which has no row, can be subtracted and counts as a group."""
    operations, events = ({name: of[k] for name, of in groups.items()} for k in (0, 1))
    if whole is not None and groups and (rest := whole[0] - sum(operations.values())):
        operations[_REST], events[_REST] = rest, whole[1] - sum(events.values())
    rows = told_counts.table(operations, events).rows
    return {row.name: (row.n, row.of) for row in rows if row.name != _REST}
