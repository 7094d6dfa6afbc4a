"""How well predictions tell events from the rest: the area under the ROC curve, with DeLong's interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cds_service.measures.intervals import NONE, Figure, Values, on_logit


def auroc(happened: Values, predicted: Values) -> Figure:
    """The chance that an event has the higher prediction of an event and a non-event; ties count half.

    The variance is DeLong's (1988, doi:10.2307/2531595), the interval on the logit (Qin & Hotilovac 2008,
    doi:10.1177/0962280207087173). Without an event, or without a non-event, there is none.
    """
    events, others = predicted[happened == 1], predicted[happened == 0]
    if not len(events) or not len(others):
        return NONE
    return _delong(_placed(events, others), 1 - _placed(others, events))


def auroc_within(happened: Values, predicted: Values, part: NDArray[np.int64]) -> Figure:
    """The same of cases of one part each, averaged over the events: predictions of two parts are never compared.

    Those of two folds are of two models. A part without an event, or without a non-event, is left out.
    """
    of_events, of_others = [], []
    for one in np.unique(part):
        events, others = predicted[(part == one) & (happened == 1)], predicted[(part == one) & (happened == 0)]
        if len(events) and len(others):
            of_events.append(_placed(events, others))
            of_others.append(1 - _placed(others, events))
    return _delong(np.concatenate(of_events), np.concatenate(of_others)) if of_events else NONE


def _delong(of_events: Values, of_others: Values) -> Figure:
    value = float(of_events.mean())
    if min(len(of_events), len(of_others)) == 1:
        return Figure(value)
    variance = float(of_events.var(ddof=1)) / len(of_events) + float(of_others.var(ddof=1)) / len(of_others)
    return on_logit(value, variance)


def _placed(those: Values, among: Values) -> Values:
    """For each of `those`, the share of `among` below it, ties half."""
    ordered = np.sort(among)
    below, not_above = np.searchsorted(ordered, those, "left"), np.searchsorted(ordered, those, "right")
    return np.asarray((below + not_above) / (2 * len(among)))
