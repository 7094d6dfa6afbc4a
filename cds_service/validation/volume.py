"""How much there was to say, how often nothing was said and why: every call of the window, counted once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from cds_service.measures.small_cells import LEAST
from cds_service.records.answered_calls import AnsweredCall
from cds_service.validation import told_counts
from cds_service.validation.told_counts import CountTable

# Withheld by a mode: with the service on, this call would have had its card.
WITHHELD = ("mode-silent", "mode-canary", "validation-outdated")
_NOT_AN_OPERATION = ("not-surgical", "selection-unresolved")
_NOT_LOOKED_AT = ("kill-switch", "mode-off", "non-clinician")
_NOT_MAPPED = ("unmapped-procedure", "procedure-ambiguous")
# Of the order, the user or the service, and so of no patient: told exactly. All others may single out a few people.
_OF_NO_PATIENT = (*_NOT_LOOKED_AT, *_NOT_AN_OPERATION, *_NOT_MAPPED, "data-unobtainable", "dedupe", "answered")
CARD = "a card"
_HIDDEN_FIRST = ("below-floor", "not-elective", "out-of-scope", "required-input-missing", "deceased", CARD)


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """Calls, by what became of them. `with_operation`: of those looked at, some order was an operation.

    `mapped`: of these, all of whose operations are in a procedure group. `failed` and `of_no_patient`, by reason,
    are told exactly: they are of the service and of orders. `answered`: all other calls, by what they
    got. `would_show`: calls that had a card, or would have had it with the service on; `gaps_told`: of these a card
    that names a gap.
    `unsaid`: of a version that did not yet keep what a card hung on.
    """

    calls: int
    with_operation: int
    mapped: int
    would_show: int | None
    shown: int | None
    again: int | None
    gaps_told: int | None
    failed: dict[str, int]
    of_no_patient: dict[str, int]
    answered: CountTable
    by_hook: CountTable
    by_role: CountTable
    by_hour: CountTable
    suggestions_per_card: float | None
    milliseconds: tuple[float, float] | None
    unsaid: int

    @property
    def share_mapped(self) -> float | None:
        """The share of calls with an operation that are understood; None where there was none."""
        return self.mapped / self.with_operation if self.with_operation else None


class CallCounter:
    """Counts calls as they are read; holds numbers, no calls."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._counts: Counter[str] = Counter()
        self._silence: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._asked: dict[str, Counter[str]] = {name: Counter() for name in ("hook", "role", "hour")}
        self._cards: dict[str, Counter[str]] = {name: Counter() for name in ("hook", "role", "hour")}
        self._suggestions = 0
        self._milliseconds: list[float] = []

    def add(self, call: AnsweredCall) -> None:
        """One call more."""
        self._counts["calls"] += 1
        if call.status != 200:
            self._failed[call.reason or str(call.status)] += 1
            return
        self._milliseconds.append(call.total_ms)
        has_card = would_show(call)
        if not has_card:
            self._silence[call.reason or "none given"] += 1
        self._count_operation(call)
        self._count_card(call, has_card=has_card)
        groups = {"hook": call.hook, "role": call.role or "not named", "hour": _hour(call.at, self._zone)}
        for name, group in groups.items():
            self._asked[name][group] += 1
            self._cards[name][group] += has_card

    def _count_operation(self, call: AnsweredCall) -> None:
        if call.reason in (*_NOT_LOOKED_AT, *_NOT_AN_OPERATION):
            return
        self._counts["with_operation"] += 1
        self._counts["mapped"] += call.reason not in _NOT_MAPPED and not call.orders_unmapped

    def _count_card(self, call: AnsweredCall, *, has_card: bool) -> None:
        self._counts["would_show"] += has_card
        self._counts["shown"] += call.decision == "card"
        self._counts["again"] += call.decision == "again"
        self._counts["gaps_told"] += has_card and call.result is None
        self._counts["unsaid"] += call.result is not None and call.result.speech is None
        self._counts["cards"] += call.indicator is not None
        self._suggestions += call.suggestions

    def counted(self) -> Volume:
        """What was counted."""
        of, answered = self._counts, self._answered()
        shown = next((row.n for row in answered.rows if row.name == CARD), None)
        by = {
            name: told_counts.table(dict(sorted(asked.items())), dict(self._cards[name]) if shown else None)
            for name, asked in self._asked.items()
        }
        return Volume(
            calls=of["calls"],
            with_operation=of["with_operation"],
            mapped=of["mapped"],
            would_show=shown,
            shown=told_counts.total(of["shown"]),
            again=told_counts.total(of["again"]),
            gaps_told=told_counts.total(of["gaps_told"]),
            failed=dict(self._failed.most_common()),
            of_no_patient={name: count for name, count in self._silence.most_common() if name in _OF_NO_PATIENT},
            answered=answered,
            by_hook=by["hook"],
            by_role=by["role"],
            by_hour=by["hour"],
            suggestions_per_card=round(self._suggestions / of["cards"], 2) if of["cards"] >= LEAST else None,
            milliseconds=_quantiles(self._milliseconds),
            unsaid=of["unsaid"],
        )

    def _answered(self) -> CountTable:
        counts = {CARD: self._counts["would_show"]} if self._counts["would_show"] else {}
        counts |= {name: count for name, count in self._silence.most_common() if name not in _OF_NO_PATIENT}
        first = [name for name in _HIDDEN_FIRST if name in counts]
        order = [*(name for name in sorted(counts) if name not in first), *first]
        return told_counts.table(counts, order=order)


def would_show(call: AnsweredCall) -> bool:
    """Whether the call had a card, or a mode alone withheld it."""
    return call.decision in ("card", "again") or (call.decision == "silence" and call.reason in WITHHELD)


def _hour(at: datetime, zone: ZoneInfo) -> str:
    """In which quarter of the day, in the hospital's zone."""
    start = at.astimezone(zone).replace(minute=0, second=0, microsecond=0).hour // 6 * 6
    return f"{start:02}:00 to {(start + 6) % 24:02}:00"


def _quantiles(milliseconds: list[float]) -> tuple[float, float] | None:
    if not milliseconds:
        return None
    half, most = np.percentile(milliseconds, [50, 95])
    return round(float(half), 1), round(float(most), 1)


def week_of(at: datetime) -> str:
    """The Monday of its ISO week (UTC)."""
    return (at.date() - timedelta(days=at.isoweekday() - 1)).isoformat()
