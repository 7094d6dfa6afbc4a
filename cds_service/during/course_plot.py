"""The course of one signal as a picture: its steps, its gaps, the published limits, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from markupsafe import Markup

from cds_service.during.case_view import CaseView
from fhir_mappings.during.course import Signal
from fhir_mappings.during.limits import LIMITS, Limit
from fhir_mappings.during.steps import Standing, ends_at, steps

WIDTH, HEIGHT = 960, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 950, 8, 160
# What is usually seen of each signal; the axis grows where a value lies outside.
_RANGES: dict[Signal, tuple[float, float, float]] = {
    "heart-rate": (40, 140, 20),
    "mean-pressure": (40, 120, 20),
    "systolic-pressure": (60, 180, 30),
    "diastolic-pressure": (30, 120, 30),
    "spo2": (80, 100, 5),
    "temperature": (34, 39, 1),
}
_TICKS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400, 604_800)
_MOST_TICKS = 8
# Of `09:05` as it is written below the axis; nearer to the edge it would be cut.
_HALF_A_TIME = 24


class _Paper:
    """Where a time and a value stand on the picture."""

    def __init__(self, begin: float, end: float, low: float, high: float) -> None:
        self.begin, self.end, self.low, self.high = begin, max(end, begin + 60), low, high

    def x(self, at: float) -> float:
        at = self.begin if at < self.begin else self.end if at > self.end else at
        share = (at - self.begin) / (self.end - self.begin)
        return round(_LEFT + share * (_RIGHT - _LEFT), 1)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def plot(seen: CaseView, signal: Signal, baseline: float | None, description: str) -> Markup:
    """The picture of one signal; `description` says in words what it shows."""
    course = seen.course
    found = steps(course, signal)
    begin = course.case.start if course.case.start is not None else course.as_of
    paper = _Paper(begin, ends_at(course), *_span(signal, found))
    parts = [*_limits(paper, signal, baseline), *_axes(paper, seen, signal)]
    parts += [*_aside(paper, seen, signal), _line(paper, found), *_beyond(paper, seen, signal)]
    parts += _notes(paper, signal, baseline)
    frame = Markup('<svg class="course" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return frame.format(WIDTH, HEIGHT, description, Markup("").join(parts))


def _span(signal: Signal, found: Sequence[Standing]) -> tuple[float, float]:
    low, high, step = _RANGES[signal]
    values = [one.sample.value for one in found]
    lowest, highest = min(values, default=low), max(values, default=high)
    return min(low, lowest - lowest % step), max(high, highest - highest % -step)


def _limits(paper: _Paper, signal: Signal, baseline: float | None) -> Iterator[Markup]:
    """The expected band, beyond no published limit, and a line for each limit."""
    known = _known(signal, baseline)
    if not known:
        return
    low = max((at for one, at in known if one.side == "below"), default=paper.low)
    high = min((at for one, at in known if one.side == "above"), default=paper.high)
    band = Markup('<rect class="course-band" x="{}" y="{}" width="{}" height="{}"/>')
    yield band.format(_LEFT, paper.y(high), _RIGHT - _LEFT, max(round(paper.y(low) - paper.y(high), 1), 0))
    for _, at in known:
        yield Markup('<path class="course-limit" d="M{} {}H{}"/>').format(_LEFT, paper.y(at), _RIGHT)


def _known(signal: Signal, baseline: float | None) -> list[tuple[Limit, float]]:
    return [(one, at) for one in LIMITS if one.signal == signal and (at := one.at(baseline)) is not None]


def _notes(paper: _Paper, signal: Signal, baseline: float | None) -> Iterator[Markup]:
    """The number of each limit, above the curve: it is read where the curve runs through it."""
    note = Markup('<text class="course-note" x="{}" y="{}">{}</text>')
    for _, at in _known(signal, baseline):
        yield note.format(_LEFT + 6, round(paper.y(at) - 4, 1), f"{at:.3g}")


def _axes(paper: _Paper, seen: CaseView, signal: Signal) -> Iterator[Markup]:
    yield Markup('<path class="course-axis" d="M{} {}V{}H{}"/>').format(_LEFT, _TOP, _BOTTOM, _RIGHT)
    step = _RANGES[signal][2]
    count = int((paper.high - paper.low) // step)
    every = max(1, -(-count // 5))
    text = Markup('<text class="course-tick" x="{}" y="{}" text-anchor="{}">{}</text>')
    for number in range(0, count + 1, every):
        value = paper.low + number * step
        yield text.format(_LEFT - 8, paper.y(value) + 5, "end", f"{value:g}")
    whole = paper.end - paper.begin
    apart = next((one for one in _TICKS_S if whole / one <= _MOST_TICKS), whole)
    at = paper.begin - paper.begin % -apart
    while at <= paper.end:
        x = paper.x(at)
        anchor = "end" if x > WIDTH - _HALF_A_TIME else "middle"
        yield text.format(x, _BOTTOM + 20, anchor, f"{datetime.fromtimestamp(at, seen.zone):%H:%M}")
        at += apart


def _line(paper: _Paper, found: Sequence[Standing]) -> Markup:
    """Each value as long as it stands; within one pixel its lowest and highest; nothing over a gap."""
    path: list[str] = []
    heights: dict[float, float] = {}
    column, over, low, high = -1, 0.0, 0.0, 0.0
    for one in found:
        x, value = paper.x(one.begin), one.sample.value
        if (y := heights.get(value)) is None:
            y = heights[value] = paper.y(value)
        if path and int(x) == column:
            if not low <= y <= high:
                path.append(f"V{y}")
            low, high, over = min(low, y), max(high, y), one.end
            continue
        joined = path and (one.begin == over or x <= paper.x(over) + 0.2)
        path.append(f"H{x}V{y}" if joined else (f"H{paper.x(over)}M{x} {y}" if path else f"M{x} {y}"))
        column, over, low, high = int(x), one.end, y, y
    if path:
        path.append(f"H{paper.x(over)}")
    return Markup('<path class="course-line" d="{}"/>').format("".join(path))


def _beyond(paper: _Paper, seen: CaseView, signal: Signal) -> Iterator[Markup]:
    """A bar under the curve for each time in which the signal was beyond a limit long enough to be marked."""
    bar = Markup('<rect class="course-beyond" x="{}" y="{}" width="{}" height="7"/>')
    for one in seen.notices:
        if one.limit.signal == signal:
            begin, end = paper.x(one.begin), paper.x(one.end if one.end is not None else paper.end)
            yield bar.format(begin, _BOTTOM - 8, max(round(end - begin, 1), 2))


def _aside(paper: _Paper, seen: CaseView, signal: Signal) -> Iterator[Markup]:
    """A cross for what was set aside; those of one pixel once."""
    cross = Markup('<path class="course-aside" d="M{} {}l6 6m0 -6l-6 6"/>')
    places = {
        (paper.x(one.sample.at), paper.y(one.sample.value)) for trace in seen.course.of(signal) for one in trace.aside
    }
    for x, y in sorted({(round(x), round(y)) for x, y in places}):
        yield cross.format(x - 3, y - 3)
