"""Counts of few people are hidden, and so much beside them that no subtraction gives them back.

A table splits one total into groups. A group is hidden where it has fewer than LEAST operations, and its events are
hidden where there are fewer than LEAST of them or of operations without. Where that leaves a hidden remainder that the
total gives away, open groups are hidden too, until at least two are hidden and together have TOGETHER. Which ones is
decided by what everybody knows (their names, or counts that are told), never by the counts that are to be hidden: who
knows this rule learns nothing by it. What is hidden of a table of operations is hidden of every other table of the same
groups.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

LEAST = 10
TOGETHER = 2 * LEAST


def hidden(
    counts: Mapping[str, int], *, also: Collection[str] = (), order: Sequence[str] | None = None
) -> frozenset[str]:
    """The groups of one total whose count may not be told. `also`: those that another table hides.

    A group of nobody is a small cell as well: that it did not happen to anybody of a group is told of each of them.
    `order`: in which open groups are hidden beside small ones; by name where it is not given.
    """
    found = {name for name, count in counts.items() if count < LEAST or name in also}
    if not found:
        return frozenset()
    for name in sorted(counts) if order is None else order:
        if len(found) > 1 and sum(counts[one] for one in found) >= TOGETHER:
            break
        found.add(name)
    return frozenset(found)


def hidden_events(
    operations: Mapping[str, int], events: Mapping[str, int], *, also: Collection[str] = ()
) -> frozenset[str]:
    """The groups whose events may not be told: few operations, few events, or few without.

    `operations` of which `hidden` says what is told; `also`: those that a table of them hides beside.
    """
    found = hidden(operations) | frozenset(also)
    told = {name: count for name, count in operations.items() if name not in found}
    order = [*sorted(found), *sorted(told, key=lambda one: (told[one], one))]
    others = {name: operations[name] - events[name] for name in operations}
    while True:
        more = hidden(events, also=found, order=order) | hidden(others, also=found, order=order)
        if more == found:
            return found
        found = more


def is_told(operations: int, events: int) -> bool:
    """Whether so many events of so many operations may be told: neither they nor the others are few."""
    return min(events, operations - events) >= LEAST
