"""Counts as a report may tell them: small ones hidden, and what is hidden told together where that is enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from cds_service.measures import small_cells
from cds_service.measures.small_cells import LEAST

TOGETHER = "together, each too small to be told"


class GroupCount(msgspec.Struct, frozen=True):
    """One group: how many operations, and of how many of them something is so; None where it may not be told."""

    name: str
    n: int | None
    of: int | None = None


class CountTable(msgspec.Struct, frozen=True):
    """One total split into groups. `n` is None where even the total is too small. The groups of `hidden_n` stand there

    without a number; `together`: all of them in one, where there are several.
    """

    n: int | None
    rows: tuple[GroupCount, ...]
    together: GroupCount | None = None


def total(count: int) -> int | None:
    """A total that is not small."""
    return count if count >= LEAST else None


def part(n: int, of: int) -> int | None:
    """Of how many it is so, where neither they nor the others are few."""
    return of if small_cells.is_told(n, of) else None


def about(n: int) -> int | None:
    """A total rounded down to tens: beside other tables the exact one would tell the few by which they differ."""
    return n // 10 * 10 if n >= LEAST else None


def table(
    counts: Mapping[str, int],
    of: Mapping[str, int] | None = None,
    *,
    also: Collection[str] = (),
    few: Collection[str] = (),
    order: Sequence[str] | None = None,
) -> CountTable:
    """The groups in the order given; `of`: a part of each. `also`: groups whose part another table hides.

    `few`: groups of few people, however many operations they had.

    `order`: which groups are hidden first beside small ones.
    """
    whole = total(sum(counts.values()))
    hide = small_cells.hidden(counts, also=few, order=order)
    hide_part = frozenset() if of is None else small_cells.hidden_events(counts, of, also=also)
    rows = tuple(
        GroupCount(
            name,
            None if name in hide or whole is None else count,
            None if of is None or name in hide_part or whole is None else of[name],
        )
        for name, count in counts.items()
    )
    return CountTable(whole, rows, _together(counts, of, hide, hide_part))


def hidden_parts(counts: Mapping[str, int], of: Mapping[str, int]) -> frozenset[str]:
    """The groups of which a part is not told."""
    return small_cells.hidden_events(counts, of)


def _together(
    counts: Mapping[str, int], of: Mapping[str, int] | None, hide: frozenset[str], hide_part: frozenset[str]
) -> GroupCount | None:
    """What is left of both totals; None where nothing was hidden."""
    n = total(sum(counts[name] for name in hide))
    events = None
    if of is not None and hide_part:
        events = part(sum(counts[name] for name in hide_part), sum(of[name] for name in hide_part))
    return GroupCount(TOGETHER, n, events) if hide or hide_part else None
