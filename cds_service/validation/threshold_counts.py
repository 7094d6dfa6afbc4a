"""How many operations would have had a card or a warning at any floor: exactly what answering again would count."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

import msgspec

from cds_service.measures.small_cells import LEAST
from cds_service.tenants import speaking
from cds_service.tenants.speech import JudgedRisk, Speech
from cds_service.validation import told_counts
from cds_service.validation.told_counts import CountTable

EVERY_FLOOR, EVERY_LIMIT = "all card floors", "both warning limits"
ALWAYS = math.inf
_NEAR = 1e-6


class SpeechLimits(msgspec.Struct, frozen=True):
    """From which risk a card opens, by outcome, and from which it warns."""

    floors: Mapping[str, float]
    rare: float
    common: float

    def speaks(self, speech: Speech) -> bool:
        """Whether there would be a card."""
        return speech.speaks(self.floors, rare=self.rare, common=self.common)

    def warns(self, speech: Speech) -> bool:
        """Whether it would be a warning."""
        return speech.warns(self.rare, self.common)


class ThresholdStep(msgspec.Struct, frozen=True):
    """At this threshold, rounded up to three digits or in force, exactly so many operations have it."""

    threshold: float
    operations: int


class ThresholdCurve(msgspec.Struct, frozen=True):
    """Operations by threshold: of `what`, a card or a warning; `moved`: which threshold, the others as in force.

    `always`: with any threshold. `steps` fall; two neighbours, and each beside what is in force, differ by nobody or by
    no fewer than LEAST operations.
    """

    what: str
    moved: str
    in_force: float
    always: int | None
    steps: tuple[ThresholdStep, ...]


class ThresholdCounts(msgspec.Struct, frozen=True):
    """At the limits in force by week, and at every other. `unknown`: operations whose row does not say enough."""

    operations: int
    unknown: int
    weeks: int
    cards: int | None
    warnings: int | None
    by_week: CountTable
    warnings_by_week: CountTable
    curves: tuple[ThresholdCurve, ...]


def highest(holds: Callable[[float], bool], guess: float) -> float:
    """The greatest float at which it still holds, of something that falls; the guess is right but for rounding."""
    low, high = guess * (1 - _NEAR), guess * (1 + _NEAR)
    if guess <= 0 or not holds(low):
        return 0.0
    while math.nextafter(low, math.inf) < high:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def highest_limit(probability: float, usual: float | None, ratio: float) -> float:
    """The greatest limit that a risk reaches (`speaking.reaches`); 0 where it reaches none above it."""
    against = usual is not None and speaking.at_least(probability, ratio * usual)
    guess = probability if against else probability / speaking.ANYBODY
    return highest(lambda limit: speaking.reaches(probability, limit, usual=usual, ratio=ratio), guess)


def card_thresholds(speeches: Iterable[Speech], limits: SpeechLimits, outcome: str) -> list[float]:
    """For each operation the greatest floor of this outcome at which it has a card; ALWAYS where another opens it."""
    others = {name: floor for name, floor in limits.floors.items() if name != outcome}
    found = []
    for one in speeches:
        opened = one.opened or limits.warns(one) or _reach(one.risks, others)
        found.append(ALWAYS if opened else max(_own(one.risks, {outcome: 1.0}), default=0.0))
    return found


def card_factors(speeches: Iterable[Speech], limits: SpeechLimits) -> list[float]:
    """The same for all floors together: by which greatest factor all of them could be multiplied."""
    return [_card_factor(one, limits) for one in speeches]


def _card_factor(of: Speech, limits: SpeechLimits) -> float:
    free = {name: floor for name, floor in limits.floors.items() if not floor}
    if of.opened or limits.warns(of) or len(free) == len(limits.floors) or _reach(of.risks, free):
        return ALWAYS
    guess = max(_own(of.risks, limits.floors), default=0.0)
    return highest(lambda factor: _reach(of.risks, _times(limits.floors, factor)), guess)


def warning_factors(speeches: Iterable[Speech], limits: SpeechLimits) -> list[float]:
    """By which greatest factor both warning limits could be multiplied so that it still warns."""
    return [_warning_factor(one, limits) for one in speeches]


def _warning_factor(of: Speech, limits: SpeechLimits) -> float:
    by = {"rare": limits.rare, "common": limits.common}
    own = [
        highest_limit(one.least, one.usual, speaking.WARNING_RATIO) / by[one.frequency]
        for one in of.risks
        if one.frequency in by
    ]
    return highest(lambda factor: of.warns(limits.rare * factor, limits.common * factor), max(own, default=0.0))


def _times(floors: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: floor * factor for name, floor in floors.items()}


def _reach(risks: Iterable[JudgedRisk], floors: Mapping[str, float]) -> bool:
    return any(
        speaking.reaches(one.figure, floors[one.outcome], usual=one.usual, ratio=speaking.CARD_RATIO)
        for one in risks
        if one.outcome in floors
    )


def _own(risks: Iterable[JudgedRisk], floors: Mapping[str, float]) -> list[float]:
    """For each risk with a floor, how many times its floor its highest limit is."""
    return [
        highest_limit(one.figure, one.usual, speaking.CARD_RATIO) / floors[one.outcome]
        for one in risks
        if floors.get(one.outcome)
    ]


def at(thresholds: Sequence[float], threshold: float) -> int:
    """How many operations have it at this threshold."""
    return sum(one >= threshold for one in thresholds)


def rounded_up(threshold: float) -> float:
    """To three significant digits: the exact one is one person's own risk, by which the record could be searched."""
    exact = Decimal(repr(threshold))
    return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 2), rounding=ROUND_CEILING))


def curve(
    what: str,
    moved: str,
    thresholds: Sequence[float],
    *,
    in_force: float,
    told: Iterable[int | None] = (),
    beside: ThresholdCurve | None = None,
) -> ThresholdCurve:
    """Every step of it that may be told: what differs by few operations would single them out.

    `told`: counts that others tell, of operations which a step holds or lies in; `beside`: the curve of all floors,
    where one alone is moved.
    """
    fixed = {0, len(thresholds), *(one for one in told if one is not None)}
    ordered = sorted(thresholds)

    def may_be_told(threshold: float, count: int) -> bool:
        near = fixed if beside is None else fixed | _nested(beside, threshold / in_force if in_force else 0.0)
        return 0 < count < len(ordered) and all(_apart(count, one) for one in near)

    always = sum(one == ALWAYS for one in thresholds)
    always_told = always if may_be_told(ALWAYS, always) else None
    steps: list[ThresholdStep] = []
    last = always_told or 0
    for threshold in sorted(
        {in_force, *(rounded_up(one) for one in ordered if 0 < one < ALWAYS)} - {0.0}, reverse=True
    ):
        count = len(ordered) - bisect_left(ordered, threshold)
        if count - last >= LEAST and may_be_told(threshold, count):
            steps.append(ThresholdStep(threshold, count))
            last = count
    return ThresholdCurve(what, moved, in_force, always_told, tuple(reversed(steps)))


def _nested(every: ThresholdCurve, factor: float) -> set[int]:
    """What the curve of all floors tells of operations that hold, or lie in, those with one floor times `factor`."""
    whole = [(one.threshold, one.operations) for one in every.steps]
    whole += [(ALWAYS, every.always)] if every.always is not None else []
    return {count for of, count in whole if of <= min(1.0, factor) or of >= max(1.0, factor)}


def counted(of: Sequence[tuple[str, Speech | None]], limits: SpeechLimits, *, weeks: int) -> ThresholdCounts:
    """`of`: each operation's week and what its card hung on."""
    known = [one for one in of if one[1] is not None]
    speeches = [one for _, one in known if one is not None]
    speaks, warns = [limits.speaks(one) for one in speeches], [limits.warns(one) for one in speeches]
    by_week = dict(sorted(Counter(week for week, _ in known).items()))
    cards = {week: sum(s for (w, _), s in zip(known, speaks, strict=True) if w == week) for week in by_week}
    warned = {week: sum(s for (w, _), s in zip(known, warns, strict=True) if w == week) for week in by_week}
    told_cards = told_counts.part(len(known), sum(speaks))
    # Whoever is warned has a card: those with a card and no warning may be few too.
    warnings = told_counts.part(len(known), sum(warns)) if _apart(sum(speaks), sum(warns)) else None
    also = told_counts.hidden_parts(by_week, cards) | told_counts.hidden_parts(cards, warned)
    warned_table = told_counts.table(by_week, warned, also=also)
    if warnings is None and warned_table.together is not None:
        warned_table = msgspec.structs.replace(
            warned_table, together=msgspec.structs.replace(warned_table.together, of=None)
        )
    told = (told_cards, warnings)
    every = curve("card", EVERY_FLOOR, card_factors(speeches, limits), in_force=1.0, told=told)
    curves = [every]
    for outcome, floor in limits.floors.items():
        own = card_thresholds(speeches, limits, outcome)
        curves.append(curve("card", outcome, own, in_force=floor, told=told, beside=every))
    curves.append(curve("warning", EVERY_LIMIT, warning_factors(speeches, limits), in_force=1.0, told=told))
    return ThresholdCounts(
        operations=len(known),
        unknown=len(of) - len(known),
        weeks=weeks,
        cards=told_cards,
        warnings=warnings,
        by_week=told_counts.table(by_week, cards),
        warnings_by_week=warned_table,
        curves=tuple(curves),
    )


def _apart(one: int, other: int) -> bool:
    """They differ by nobody, or by so many that the difference singles nobody out."""
    return one == other or abs(one - other) >= LEAST
