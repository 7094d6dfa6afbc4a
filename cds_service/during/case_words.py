"""What a case shows in words: when and for how long a signal was beyond a limit, where values stopped, amounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
from markupsafe import Markup

from cds_service.during.case_view import CaseView
from cds_service.during.course_plot import plot
from fhir_mappings.during.amount_totals import AmountTotal
from fhir_mappings.during.course import CaseEvent, Signal, Trace
from fhir_mappings.during.exposures import NO_BASELINE, NO_START, NOT_RECORDED, Exposure
from fhir_mappings.during.limits import LIMITS
from fhir_mappings.during.notices import Notice
from fhir_mappings.during.signal_rules import RULES

_UNITS = {"mm[Hg]": "mmHg", "/min": "per minute", "%": "%", "Cel": "°C"}
_WHY = {
    NOT_RECORDED: "no value was recorded",
    NO_BASELINE: "the patient's own pressure before the operation is not known",
    NO_START: "the start was not recorded",
}
# Of the model's card; held against it by tests/cds_service/during/test_case_pages.py.
RATES_OF = (
    "Its rates are those of general and vascular surgery in one hospital; in other specialties it tells less (Reynolds"
    " 2011, 123,864 operations)."
)
_ASIDE = "{count} values set aside as no measurement of the patient ({rule})"
LAST_ASIDE = "the last values were set aside"
_LEFT_OUT = {
    "replaced": "earlier versions that were corrected",
    "withdrawn": "entered in error or cancelled",
    "before-start": "before the recorded start",
    "after-end": "after the recorded end",
    "ahead-of-clock": "of a time that has not come",
    "repeated": "sent more than once",
}


class SignalShown(msgspec.Struct, frozen=True):
    """One signal of the page: the value that stands now ("" where none does, for `why_not`), and its picture."""

    signal: str
    label: str
    now: str
    unit: str
    since: str
    why_not: str
    limits: str
    picture: Markup


class ToldLine(msgspec.Struct, frozen=True):
    """A line of a list: what, in words, and for how long."""

    what: str
    when: str
    how_long: str = ""
    more: str = ""


def clock(at: float, seen: CaseView) -> str:
    """The time of day at the hospital."""
    return f"{datetime.fromtimestamp(at, seen.zone):%H:%M}"


def lasting(seconds: float) -> str:
    """A duration in words: 40 s, 12 min, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def signals(seen: CaseView) -> Iterator[SignalShown]:
    """Every signal of which a value was recorded; the others are told by `unseen`."""
    for signal, rule in RULES.items():
        traces = seen.course.of(signal)
        if not any(trace.samples or trace.aside for trace in traces):
            continue
        unit = _UNITS.get(rule.number.unit, rule.number.unit)
        now, since, why_not = _now(seen, signal)
        own = seen.summary.baseline.value if signal == "mean-pressure" else None
        known = [one.words for one in LIMITS if one.signal == signal and one.at(own) is not None]
        limits = f"A bar marks: {'; '.join(known)}." if known else "No limit is checked."
        told = [f"{line.what} {line.when}" for line in deviations(seen, signal)]
        nothing = "nothing beyond a published limit was marked" if known else "no limit is checked"
        description = f"{rule.label}: {'; '.join(told) or nothing}"
        yield SignalShown(signal, rule.label, now, unit, since, why_not, limits, plot(seen, signal, own, description))


def _now(seen: CaseView, signal: Signal) -> tuple[str, str, str]:
    """The value that stands now, its time, and why there is none: what was set aside ends the value before it."""
    if seen.ended:
        return "", "", ""
    rule, now = RULES[signal], seen.course.as_of
    for trace in seen.course.of(signal):
        last = trace.samples[-1] if trace.samples else None
        if last is None or last.at + rule.holds_s[trace.way] < now or _last_is_aside(trace):
            continue
        return f"{last.value:.{rule.decimals}f}", clock(last.at, seen), ""
    return "", "", LAST_ASIDE if any(map(_last_is_aside, seen.course.of(signal))) else "no value now"


def _last_is_aside(trace: Trace) -> bool:
    return bool(trace.aside) and (not trace.samples or trace.aside[-1].sample.at > trace.samples[-1].at)


def deviations(seen: CaseView, signal: Signal | None = None) -> Iterator[ToldLine]:
    """Each time in which a signal was beyond a limit long enough to be marked."""
    for one in seen.notices:
        if signal is None or one.limit.signal == signal:
            yield _deviation(one, seen)


def _deviation(one: Notice, seen: CaseView) -> ToldLine:
    rule, over = RULES[one.limit.signal], seen.course.case.end if seen.ended else None
    end = one.end if one.end is not None else over
    until = "and still" if end is None else "to the end" if one.end is None else f"to {clock(end, seen)}"
    farthest = f"{'lowest' if one.limit.side == 'below' else 'highest'} {one.farthest:.{rule.decimals}f}"
    unit = _UNITS.get(rule.number.unit, rule.number.unit)
    what = f"{one.limit.words[:1].upper()}{one.limit.words[1:]}"
    seconds = (seen.course.as_of if end is None else end) - one.begin
    return ToldLine(what, f"{clock(one.begin, seen)} {until}", lasting(seconds), f"{farthest} {unit}")


def stops(seen: CaseView) -> Iterator[ToldLine]:
    """Where values stopped, so that nobody takes what was for what is."""
    for one in seen.stopped:
        last = f"the last was of {clock(one.last.at, seen)}"
        if any(map(_last_is_aside, seen.course.of(one.signal))):
            last = f"{last}, {LAST_ASIDE}"
        now = seen.course.case.end if seen.ended and seen.course.case.end is not None else seen.course.as_of
        until = "to the end" if seen.ended else ""
        yield ToldLine(f"No values of {RULES[one.signal].label}", f"since {clock(one.since, seen)} {until}".strip(),
                   lasting(now - one.since), last)  # fmt: skip


def unseen(seen: CaseView) -> str:
    """The signals of which nothing was recorded."""
    missing = [rule.label for signal, rule in RULES.items() if not seen.course.of(signal)]
    return ", ".join(missing)


def exposures(seen: CaseView) -> Iterator[ToldLine]:
    """Minutes beyond each limit, or why there is no number."""
    for one in seen.summary.exposures:
        yield _exposure(one)


def _exposure(one: Exposure) -> ToldLine:
    what = f"{one.limit.words[:1].upper()}{one.limit.words[1:]}"
    if one.minutes is None:
        return ToldLine(what, "not told", "", _WHY.get(one.reason, one.reason))
    longest = f"longest {lasting(one.longest.seconds)}" if one.longest is not None else ""
    unit = RULES[one.limit.signal].number.unit
    area = f"area {one.area:.1f} {_UNITS.get(unit, unit)} × min" if one.area else ""
    unseen_min = f"{one.unseen:.0f} min without a value" if one.unseen and one.unseen >= 0.5 else ""
    told = "; ".join(part for part in (longest, area, unseen_min, one.limit.source) if part)
    return ToldLine(what, f"{one.minutes:.1f} min", "", told)


def amounts(seen: CaseView) -> Iterator[ToldLine]:
    """Blood loss, fluids and transfusions, or why there is no number."""
    for kind, total in seen.summary.amounts.items():
        why = "" if total.exact else total.reason or "the record can be read in two ways"
        yield ToldLine(kind.replace("-", " ").capitalize(), _amount(total), "", why.replace("-", " "))


def _amount(total: AmountTotal) -> str:
    if total.low is None or total.high is None:
        return "not told"
    return f"{total.low:.0f} mL" if total.exact else f"{total.low:.0f} to {total.high:.0f} mL"


def events(seen: CaseView) -> Iterator[ToldLine]:
    """What somebody recorded as having happened."""
    for one in seen.course.events:
        yield _event(one, seen)


def _event(one: CaseEvent, seen: CaseView) -> ToldLine:
    return ToldLine(one.kind.replace("-", " ").capitalize(), clock(one.at, seen), "", "as somebody recorded it")


def rates(seen: CaseView) -> Iterator[str]:
    """What publications report for this number of points, each with its events and of how many."""
    for rate in seen.apgar.published_rates if seen.apgar is not None else ():
        yield f"{rate.source} ({100 * rate.probability:.1f} %)"


def clocks(seen: CaseView, ahead_s: Mapping[str, float]) -> Iterator[str]:
    """Whose times are not told as the device stamped them, because its clock is stated to be ahead or behind."""
    devices = {one.device for trace in seen.course.traces for one in trace.samples}
    for device in sorted(devices & ahead_s.keys()):
        ahead = ahead_s[device]
        if ahead:
            earlier = f"{abs(ahead):g} s {'earlier' if ahead > 0 else 'later'}"
            yield f"Times of {device} are told {earlier} than it stamped them: so this hospital states its clock."


def counted(seen: CaseView) -> Iterator[str]:
    """How many values were set aside or are no part of the case, by reason, and what could not be read."""
    for rule, count in seen.summary.aside.items():
        yield _ASIDE.format(count=count, rule=rule.replace("-", " "))
    for reason, count in seen.summary.left_out.items():
        yield f"{count} values {_LEFT_OUT.get(reason, reason)}"
    if seen.course.unread:
        yield f"{len(seen.course.unread)} values of this case could not be read"
