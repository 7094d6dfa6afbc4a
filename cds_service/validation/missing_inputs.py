"""Which inputs were known when a risk was told, and how many entries of lists nobody understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from cds_service.measures.small_cells import LEAST
from cds_service.validation import told_counts
from cds_service.validation.collected import ValidatedOperation

LEAST_FOR_WORDS = 40  # where fewer than ten of them are fewer than a quarter
KNOWN = ("used", "used-with-conversion")


class InputKnown(msgspec.Struct, frozen=True):
    """One input of `n` operations: of how many it was known, where neither these nor the others are few.

    `nearly`: "all" or "none" where the others are few of many, else nothing.
    `why`: the most frequent reasons why not, of at least ten operations each.
    """

    name: str
    n: int
    known: int | None
    nearly: str
    why: tuple[tuple[str, int], ...]


class ListUnderstood(msgspec.Struct, frozen=True):
    """One list: entries that were not understood, and the operations that had any, where these are not few."""

    name: str
    entries: int
    operations: int | None


def inputs(operations: Sequence[ValidatedOperation], names: Sequence[str]) -> tuple[InputKnown, ...]:
    """These inputs, the one that is missing most first. Operations that keep no inputs are not counted as missing."""
    kept = [one.inputs for one in operations if one.inputs]
    found = []
    for name in names:
        states = [one[name] for one in kept if name in one]
        known = sum(one.status in KNOWN for one in states)
        why = Counter(one.reason or one.status for one in states if one.status not in KNOWN)
        is_told = told_counts.part(len(states), known) is not None
        reasons = [(reason, count) for reason, count in why.most_common() if is_told and count >= LEAST]
        if len(reasons) + 1 == len(why):  # the one that is left could be subtracted
            reasons = reasons[:-1]
        part = told_counts.part(len(states), known)
        found.append((known, InputKnown(name, len(states), part, _nearly(len(states), known), tuple(reasons))))
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].name)))


def _nearly(n: int, known: int) -> str:
    """What may be said in words where the number may not; of a few operations nothing."""
    if n < LEAST_FOR_WORDS:
        return ""
    return "none" if known < LEAST else "all" if n - known < LEAST else ""


def lists(operations: Sequence[ValidatedOperation]) -> tuple[ListUnderstood, ...]:
    """Every list with an entry that was not understood."""
    entries: Counter[str] = Counter()
    having: Counter[str] = Counter()
    for one in operations:
        entries.update(one.entries_missed)
        having.update(one.entries_missed.keys())
    return tuple(
        ListUnderstood(name, count, told_counts.part(len(operations), having[name]))
        for name, count in entries.most_common()
    )
