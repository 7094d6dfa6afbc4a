"""How a rule that marks operations treats groups of people: marked, found and wrongly marked, and how far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from cds_service.measures.intervals import Figure, Values, proportion


class Rates(msgspec.Struct, frozen=True):
    """Of one group: the share marked, of its events the share marked, of the others the share marked."""

    n: int
    events: int
    marked: Figure
    sensitivity: Figure
    false_positive_rate: Figure
    predictive_value: Figure


def rates(happened: Values, marked: Values) -> Rates:
    """`marked`: 1 where the rule speaks, else 0."""
    n, events, chosen = len(happened), float(happened.sum()), float(marked.sum())
    true = float((happened * marked).sum())
    return Rates(
        n=n,
        events=int(events),
        marked=proportion(chosen, n),
        sensitivity=proportion(true, events),
        false_positive_rate=proportion(chosen - true, n - events),
        predictive_value=proportion(true, chosen),
    )


def rates_by(happened: Values, marked: Values, group: Sequence[str]) -> Mapping[str, Rates]:
    """The rates of each group, by its name in the order of names."""
    names = np.asarray(group)
    return {str(one): rates(happened[names == one], marked[names == one]) for one in np.unique(names)}


def difference(figures: Sequence[Figure]) -> float | None:
    """The greatest less the least of the groups' figures; None with fewer than two that are known."""
    known = [one.value for one in figures if one.value is not None]
    return max(known) - min(known) if len(known) > 1 else None


def ratio(figures: Sequence[Figure]) -> float | None:
    """The least by the greatest of the groups' figures; None with fewer than two, or where the greatest is 0."""
    known = [one.value for one in figures if one.value is not None]
    return min(known) / max(known) if len(known) > 1 and max(known) > 0 else None
