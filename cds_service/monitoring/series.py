"""The weekly streams of a tenant's calls and operations, from its record; an operation counts once."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np

from cds_service.monitoring import input_drift
from cds_service.monitoring.judging import Streams
from cds_service.records.card_answers import CardAnswer
from cds_service.records.rows import EvaluationRow
from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.results.result_inputs import LABORATORY

# Silent for a reason that somebody can mend (deploy/surgical-risk-alerts.yaml, SurgicalRiskSilence).
MENDABLE = ("unmapped-", "procedure-ambiguous", "selection-", "required-", "data-")
# By the first word of an input's source, the list that it is read from; laboratory results are a list of their own.
LISTS = {"Condition": "conditions", "MedicationRequest": "medications"}
_DAYS_OF_WEEK = 7


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of one figure: `label` tells it from the others; a period is a week, or a day of `by_day`."""

    figure: str
    label: str
    streams: Streams
    by_day: bool = False


class Weeks(msgspec.Struct, frozen=True):
    """The whole weeks that are looked at: the Monday of the first, and how many."""

    first: date
    count: int

    def place(self, day: date) -> int | None:
        """Which of them the day lies in."""
        number = (day - self.first).days // _DAYS_OF_WEEK
        return number if 0 <= number < self.count else None

    def day(self, day: date) -> int | None:
        """Which of their days it is."""
        number = (day - self.first).days
        return number if 0 <= number < self.count * _DAYS_OF_WEEK else None

    def monday(self, number: int) -> date:
        """The Monday of one of them."""
        return self.first + timedelta(days=_DAYS_OF_WEEK * number)


class SeenCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures need of one call, and nothing of the patient."""

    id: str
    day: date
    decision: str
    reason: str
    mode: str
    status: int
    total_ms: float
    unmapped: bool
    inputs: Mapping[str, tuple[str, float | None]]
    not_understood: int


def seen(row: EvaluationRow) -> SeenCall:
    """A call of the record; an input's value only where it is a number that was used."""
    told: dict[str, Any] = row.result if isinstance(row.result, dict) else {}
    values = {one["name"]: one.get("value") for one in told.get("inputs", ()) if one["status"].startswith("used")}
    return SeenCall(
        id=row.id,
        day=row.received_at.date(),
        decision=row.decision,
        reason=row.reason or "",
        mode=row.mode or "",
        status=row.status,
        total_ms=row.total_ms,
        unmapped=bool(row.unmapped),
        inputs={one["name"]: (one["status"], _number(values.get(one["name"]))) for one in row.inputs},
        not_understood=sum(one["entries"] for one in told.get("notUnderstood", ())),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def weeks(days: Iterable[date], *, today: date) -> Weeks:
    """From the week of the first call to the last week that is over."""
    first = min(days, default=today)
    monday = first - timedelta(days=first.weekday())
    return Weeks(monday, max(0, (today - monday).days // _DAYS_OF_WEEK))


def of_calls(calls: Sequence[SeenCall], over: Weeks) -> Iterator[Series]:
    """What every call tells, whatever it was about."""
    yield _share("errors", "", ((one.day, one.decision == "error") for one in calls), over)
    answered = [one for one in calls if one.decision != "error"]
    silent = ((one.day, one.decision == "silence" and one.reason.startswith(MENDABLE)) for one in answered)
    yield _share("silence", "", silent, over)
    about_orders = (one for one in answered if one.inputs or one.unmapped)
    yield _share("unmapped", "", ((one.day, one.unmapped) for one in about_orders), over)
    yield _level("latency", "", ((one.day, math.log(max(one.total_ms, 0.1))) for one in calls), over)
    for name, inputs in _lists().items():
        asked = [(one.day, _all_missing(one, inputs)) for one in calls if one.inputs]
        yield _share("lists", name, asked, over, by_day=True)


def of_operations(operations: Sequence[SeenCall], carded: Mapping[str, bool], over: Weeks) -> Iterator[Series]:
    """What the call that stands for an operation tells. `carded`: whether the operation of this call got a card."""
    counted = Counter(place for one in operations if (place := over.place(one.day)) is not None)
    numbers = np.array([[float(counted[week]) for week in range(over.count)]])
    yield Series(figure="volume", label="", streams=Streams("count", numbers, numbers))
    entries = ((one.day, math.log1p(one.not_understood)) for one in operations)
    yield _level("not-understood", "", entries, over)
    yield _share("firing", "", ((one.day, carded.get(one.id, False)) for one in operations), over)
    for name in sorted({name for one in operations for name in one.inputs}):
        if name not in FEATURES or FEATURES[name].kind == "yes-no":
            continue
        having = [(one.day, not one.inputs[name][0].startswith("used")) for one in operations if name in one.inputs]
        if not all(is_missing for _, is_missing in having):
            yield _share("missing", name, having, over)
        if FEATURES[name].kind == "number":
            yield from _drift(name, operations, over)


def never_had(operations: Sequence[SeenCall]) -> tuple[str, ...]:
    """The inputs that no operation had: there is nothing to watch, and that is told."""
    names = {name for one in operations for name in one.inputs}
    had = {name for one in operations for name, (status, _) in one.inputs.items() if status.startswith("used")}
    return tuple(sorted(names - had))


def _lists() -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for feature in FEATURES.values():
        if (name := LISTS.get(feature.source.split()[0])) is not None:
            found[name].append(feature.name)
    labs = tuple(name for name in LABORATORY if name in FEATURES)
    return {"laboratory results": labs, **{name: tuple(inputs) for name, inputs in found.items()}}


def _all_missing(of: SeenCall, inputs: Sequence[str]) -> bool:
    known = [of.inputs[name][0] for name in inputs if name in of.inputs]
    return bool(known) and all(status == "missing" for status in known)


def of_cards(answers: Sequence[CardAnswer], over: Weeks) -> Iterator[Series]:
    """What became of the cards that were shown and answered."""
    answered = [one for one in answers if one.shown and one.outcome is not None]
    if not answered:
        return
    yield _share("acceptance", "", ((one.at.date(), one.outcome == "accepted") for one in answered), over)
    for rule in sorted({rule for one in answered for rule in one.offered}):
        of_rule = ((one.at.date(), rule in one.taken) for one in answered if rule in one.offered)
        yield _share("suggestions", rule, of_rule, over)


def _share(figure: str, label: str, of: Iterable[tuple[date, bool]], over: Weeks, *, by_day: bool = False) -> Series:
    periods = over.count * (_DAYS_OF_WEEK if by_day else 1)
    counts = np.zeros((2, 1, periods))
    for day, holds in of:
        if (place := over.day(day) if by_day else over.place(day)) is not None:
            counts[:, 0, place] += (holds, 1)
    return Series(figure=figure, label=label, streams=Streams("share", counts[0], counts[1]), by_day=by_day)


def _level(figure: str, label: str, of: Iterable[tuple[date, float]], over: Weeks) -> Series:
    sums = np.zeros((2, 1, over.count))
    for day, value in of:
        if (place := over.place(day)) is not None:
            sums[:, 0, place] += (value, 1)
    return Series(figure=figure, label=label, streams=Streams("level", sums[0], sums[1]))


def levels(figure: str, label: str, of: Iterable[tuple[date, float]], over: Weeks) -> Series:
    """The mean of a value by week."""
    return _level(figure, label, of, over)


def _drift(name: str, operations: Sequence[SeenCall], over: Weeks) -> Iterator[Series]:
    values = [
        (place, value)
        for one in operations
        if (value := one.inputs.get(name, ("", None))[1]) is not None and (place := over.place(one.day)) is not None
    ]
    values.sort(key=lambda one: one[0])
    if len(values) < input_drift.FEWEST_BEFORE + input_drift.FEWEST:
        return
    cuts = input_drift.edges(np.array([value for _, value in values[: input_drift.FEWEST_BEFORE * 2]]))
    binned = np.zeros((1, over.count, len(cuts) + 1))
    for place, value in values:
        binned[0, place, int(np.searchsorted(cuts, value, side="left"))] += 1
    yield Series(figure="drift", label=name, streams=Streams("bins", binned, binned.sum(axis=2)))
