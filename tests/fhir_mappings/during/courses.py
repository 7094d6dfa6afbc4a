"""Courses by a few numbers, as tests need them: values of signals at seconds after the start of a case."""

from __future__ import annotations

from fhir_mappings.during.course import CaseTimes, Course, Sample, Signal, Trace, Way

Values = dict[float, float]


def trace(signal: Signal, values: Values, way: Way = "unstated", device: str = "") -> Trace:
    """A trace of values by their seconds."""
    samples = (Sample(float(at), float(value), f"Observation/{signal}-{at:g}", device) for at, value in values.items())
    return Trace(signal, way, tuple(sorted(samples, key=lambda one: one.at)))


def every(seconds: float, values: list[float], begin: float = 0.0) -> Values:
    """Values so many seconds apart."""
    return {begin + number * seconds: value for number, value in enumerate(values)}


def line(systolic: Values, mean: Values, diastolic: Values, way: Way = "invasive") -> tuple[Trace, ...]:
    """The three pressures of one way."""
    found = []
    signals: tuple[Signal, ...] = ("systolic-pressure", "mean-pressure", "diastolic-pressure")
    for signal, values in zip(signals, (systolic, mean, diastolic), strict=True):
        found.append(trace(signal, values, way))
    return tuple(found)


def course(*traces: Trace, minutes: float = 60, ended: bool = True) -> Course:
    """A case of so many minutes that begins at second 0."""
    end = minutes * 60
    times = CaseTimes(0.0, end if ended else None, "Procedure/1", "" if ended else "end-not-recorded", ended)
    return Course(times, end, traces)
