"""How a rule that marks operations treats groups of people: marked, found and wrongly marked."""

from __future__ import annotations

import msgspec

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
