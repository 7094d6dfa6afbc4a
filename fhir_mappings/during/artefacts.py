"""The course without what is no measurement of the patient, which is kept beside it: the rules of artefact_rules.py."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec.structs import replace

from fhir_mappings.during import artefact_rules as rules
from fhir_mappings.during.course import PRESSURES, Course, Sample, SetAside, Signal, Trace, Way

# The pressures of one way at one instant, by signal.
Instant = dict[Signal, float]
Key = tuple[Signal, Way]


def without_artefacts(course: Course) -> Course:
    """The same course, each value that a rule touches set aside under the first rule that does, in a fixed order."""
    left = {(trace.signal, trace.way): list(trace.samples) for trace in course.traces}
    aside: dict[Key, list[SetAside]] = {(trace.signal, trace.way): list(trace.aside) for trace in course.traces}
    for key, samples in left.items():
        left[key] = _sorted_out(samples, _two_of_an_instant(samples), aside[key])
    for way in {way for _, way in left}:
        _pressures_of_an_instant(left, aside, way)
    for key, samples in left.items():
        left[key] = _sorted_out(samples, _beyond(key[0], samples), aside[key])
    _spikes(left, aside)
    _frozen_line(left, aside)
    return replace(
        course,
        traces=tuple(
            Trace(signal, way, tuple(left[signal, way]), tuple(sorted(aside[signal, way], key=_by_time)))
            for signal, way in left
        ),
    )


def _by_time(one: SetAside) -> tuple[float, str, float]:
    return one.sample.at, one.rule, one.sample.value


def _sorted_out(samples: list[Sample], touched: dict[int, str], aside: list[SetAside]) -> list[Sample]:
    """Those that no rule touches; `touched`: by position the rule that does."""
    if not touched:
        return samples
    aside.extend(SetAside(samples[position], rule) for position, rule in touched.items())
    return [sample for position, sample in enumerate(samples) if position not in touched]


def _two_of_an_instant(samples: Sequence[Sample]) -> dict[int, str]:
    """Of several values of one instant: which are of another code or device, and which contradict each other."""
    if all(one.at != other.at for one, other in pairwise(samples)):
        return {}  # nearly always; a live page asks this each few seconds
    by_instant: dict[float, list[int]] = defaultdict(list)
    for position, sample in enumerate(samples):
        by_instant[sample.at].append(position)
    often = Counter(sample.device for sample in samples)
    touched: dict[int, str] = {}
    for every in by_instant.values():
        has_first = not all(samples[one].second for one in every)
        touched |= {one: rules.OTHER_CODE for one in every if has_first and samples[one].second}
        positions = [one for one in every if one not in touched]
        if len(positions) == 1:
            continue
        first = min((samples[one].device for one in positions), key=lambda device: (-often[device], device))
        of_first = [one for one in positions if samples[one].device == first]
        touched |= {one: rules.OTHER_DEVICE for one in positions if samples[one].device != first}
        if len(of_first) > 1:
            touched |= dict.fromkeys(of_first, rules.CONFLICT)
    return touched


def _pressures_of_an_instant(left: dict[Key, list[Sample]], aside: dict[Key, list[SetAside]], way: Way) -> None:
    """Set the pressures of an instant aside together where one of them shows that they are none."""
    instants: dict[float, Instant] = defaultdict(dict)
    for signal in PRESSURES:
        for sample in left.get((signal, way), ()):
            instants[sample.at][signal] = sample.value
    why = {at: rule for at, one in instants.items() if (rule := _why_no_pressure(one, way))}
    for signal in PRESSURES:
        if (signal, way) in left:
            samples = left[signal, way]
            touched = {position: why[one.at] for position, one in enumerate(samples) if one.at in why}
            left[signal, way] = _sorted_out(samples, touched, aside[signal, way])


def _why_no_pressure(one: Instant, way: Way) -> str:
    systolic, diastolic = one.get("systolic-pressure"), one.get("diastolic-pressure")
    mean = one.get("mean-pressure")
    pulse = None if systolic is None or diastolic is None else systolic - diastolic
    level = mean if mean is not None else diastolic
    if way == "invasive" and level is not None:
        if level >= rules.FLUSH_MEAN and pulse is not None and pulse < rules.FLUSH_PULSE:
            return rules.FLUSH
        if level <= rules.OPEN_MEAN and (pulse is None or pulse <= rules.OPEN_PULSE):
            return rules.DISCONNECTION
    if any(_is_beyond(value, rules.PRESSURE_RANGE[signal]) for signal, value in one.items()):
        return rules.RANGE
    ordered = [value for value in (diastolic, mean, systolic) if value is not None]
    has_no_pulse = pulse is not None and pulse <= rules.PULSE_AT_LEAST
    if ordered != sorted(ordered) or (has_no_pulse and level is not None and level > rules.STANDSTILL_MEAN):
        return rules.ORDER
    return ""


def _is_beyond(value: float, limits: tuple[float, float]) -> bool:
    return value <= limits[0] or value >= limits[1]


def _beyond(signal: Signal, samples: Sequence[Sample]) -> dict[int, str]:
    limits = rules.OTHER_RANGE.get(signal)
    if limits is None:
        return {}
    low = rules.DISCONNECTION if signal == "temperature" else rules.RANGE
    return {
        position: low if sample.value <= limits[0] else rules.RANGE
        for position, sample in enumerate(samples)
        if _is_beyond(sample.value, limits)
    }


def _spikes(left: dict[Key, list[Sample]], aside: dict[Key, list[SetAside]]) -> None:
    """Set spikes aside; a spike of one pressure takes the others of its way and instant, the mean only if it leapt."""
    found = {key: _spiking(samples, rules.SPIKES[key[0]]) for key, samples in left.items()}
    at = {
        way: {
            left[signal, way][position].at
            for signal in PRESSURES
            for position in found.get((signal, way), ())
        }
        for _, way in left
    }  # fmt: skip
    for key, samples in left.items():
        touched = set(found[key])
        if key[0] in PRESSURES:
            others = {position for position, sample in enumerate(samples) if sample.at in at[key[1]]}
            touched |= _leaping(samples, others) if key[0] == "mean-pressure" else others
        left[key] = _sorted_out(samples, dict.fromkeys(sorted(touched), rules.SPIKE), aside[key])


def _leaping(samples: Sequence[Sample], others: set[int]) -> set[int]:
    """Of the positions those whose value is away by half of a spike from the last that is not among them."""
    by = rules.SPIKES["mean-pressure"].by / 2
    found, before = set(), None
    for position, sample in enumerate(samples):
        if position not in others:
            before = sample.value
        elif before is not None and abs(sample.value - before) >= by:
            found.add(position)
    return found


def _spiking(samples: Sequence[Sample], rule: rules.SpikeRule) -> list[int]:
    """Positions of values that left what was before by at least `rule.by` and were back by as much in time."""
    found: list[int] = []
    before = 0
    while before + 1 < len(samples):
        if abs(samples[before + 1].value - samples[before].value) < rule.by:
            before += 1
            continue
        end = _end_of_spike(samples, before, rule)
        found.extend(range(before + 1, end))
        before = end or before + 1
    return found


def _end_of_spike(samples: Sequence[Sample], before: int, rule: rules.SpikeRule) -> int:
    """The position at which a spike that begins behind `before` is over; 0 where none does.

    It is over where a value lies within half of the leap that makes a spike, and as far below the peak as that leap.
    """
    start, first = samples[before], samples[before + 1]
    sign = 1.0 if first.value > start.value else -1.0
    peak = 0.0
    if first.at - start.at > rule.lasts_s:
        return 0
    for position in range(before + 1, len(samples)):
        sample = samples[position]
        away = sign * (sample.value - start.value)
        if sample.at - start.at > rule.within_s:
            return 0
        if away <= rule.by / 2 and peak - away >= rule.by:
            return position if sample.at - samples[position - 1].at <= rule.lasts_s else 0
        if sample.at - first.at > rule.lasts_s:
            return 0
        peak = max(peak, away)
    return 0


def _frozen_line(left: dict[Key, list[Sample]], aside: dict[Key, list[SetAside]]) -> None:
    """Set the values of an arterial line aside where its three pressures stand still."""
    keys = [(signal, way) for signal, way in left if way == "invasive" and signal in PRESSURES]
    if len(keys) < len(PRESSURES):
        return
    still = set.intersection(*({left[key][one].at for one in _unchanged(left[key])} for key in keys))
    for key in keys:
        samples = left[key]
        touched = [one for one, sample in enumerate(samples) if sample.at in still]
        left[key] = _sorted_out(samples, dict.fromkeys(touched, rules.FROZEN), aside[key])


def _unchanged(samples: Sequence[Sample]) -> Iterator[int]:
    """Positions of values that repeat the very same number for FROZEN_S or longer, without the first of them."""
    first = 0
    for position in range(1, len(samples) + 1):
        if position < len(samples) and samples[position].value == samples[first].value:
            continue
        run = range(first, position)
        if len(run) >= rules.FROZEN_VALUES and samples[run[-1]].at - samples[first].at >= rules.FROZEN_S:
            yield from run[1:]
        first = position
