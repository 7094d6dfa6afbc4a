"""Invented operations with a known course: what leaves its band, when, and what only looks like it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

Reading = Literal["mean-pressure", "heart-rate", "spo2", "temperature"]
Looks = Literal["flush", "disconnection", "spike"]

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
PANEL, LINE, CUFF = "85354-9", ("76215-3", "76214-6", "76213-8"), ("76534-7", "76536-2", "76535-4")
HEART_RATE, SPO2, TEMPERATURE, BLOOD_LOSS, RHYTHM = "8867-4", "59408-5", "8310-5", "81661-1", "8884-9"
ASYSTOLE = "397829000"
LINE_DEVICE, CUFF_DEVICE = "Device/monitor-1", "Device/monitor-1-cuff"
_TEMPERATURE_S = 300
_UNITS = {HEART_RATE: "/min", SPO2: "%", TEMPERATURE: "Cel", BLOOD_LOSS: "mL"}


class Leaves(Struct, frozen=True):
    """A signal that goes to a level in `ramp_s` seconds, stays there and comes back as slowly; seconds of the case."""

    signal: Reading
    begin: float
    lasts_s: float
    level: float
    ramp_s: float = 60.0


class Trick(Struct, frozen=True):
    """What a monitor shows for some seconds that is no measurement of the patient."""

    looks: Looks
    begin: float
    lasts_s: float


class InventedCase(Struct, frozen=True):
    """One operation as it is played: `levels` at rest, how much the mean pressure moves about its level (mmHg, one
    standard deviation), every how many seconds a cuff is inflated (0: never), and what happens.

    `losses`: blood loss so far, mL by second. `asystole`: when somebody records one. `stops`: when values stop.
    """

    id: str
    story: str
    minutes: int
    planned_minutes: int
    leaves: tuple[Leaves, ...] = ()
    tricks: tuple[Trick, ...] = ()
    line: bool = True
    cuff_s: int = 0
    levels: dict[Reading, float] = {}
    moves: float = 3.0
    losses: dict[int, float] = {}
    asystole: float | None = None
    stops: float | None = None


AT_REST: dict[Reading, float] = {"mean-pressure": 84.0, "heart-rate": 68.0, "spo2": 98.0, "temperature": 36.4}
# Before the operation: the pressures of two visits, so that the patient has a baseline of 93.3 mmHg.
VISITS = ((-40, 132, 76), (-12, 128, 74))

CASES: tuple[InventedCase, ...] = (
    InventedCase(
        id="case-quiet",
        story="An hour and a half in which nothing leaves its band; the line is flushed twice and zeroed once.",
        minutes=90,
        planned_minutes=90,
        tricks=(Trick("flush", 1200, 8), Trick("disconnection", 2400, 20), Trick("flush", 4200, 6)),
        losses={5100: 80},
    ),
    InventedCase(
        id="case-pressure",
        story="The mean pressure falls to 56 after induction and to 60 once more; 30 minutes longer than planned.",
        minutes=150,
        planned_minutes=120,
        leaves=(Leaves("mean-pressure", 600, 480, 56), Leaves("mean-pressure", 5400, 300, 60)),
        tricks=(Trick("flush", 3000, 8), Trick("spike", 4000, 4)),
        losses={3600: 150, 8400: 350},
    ),
    InventedCase(
        id="case-bleeding",
        story="Bleeding: 1,250 mL, a mean pressure of 48 for six minutes, a fast heart, and it gets cold.",
        minutes=180,
        planned_minutes=150,
        leaves=(
            Leaves("mean-pressure", 4800, 360, 48),
            Leaves("heart-rate", 4700, 1800, 112),
            Leaves("temperature", 5400, 4800, 35.4, 1200),
        ),
        losses={3600: 300, 4900: 800, 6000: 1250},
    ),
    InventedCase(
        id="case-oxygen",
        story="The saturation falls to 84 for three minutes; the pressure is measured by cuff every three minutes.",
        minutes=60,
        planned_minutes=60,
        leaves=(Leaves("spo2", 1500, 180, 84, 40), Leaves("mean-pressure", 2400, 600, 58)),
        line=False,
        cuff_s=180,
        losses={3300: 40},
    ),
    InventedCase(
        id="case-asystole",
        story="Somebody records an asystole of seconds; the monitor stops sending ten minutes before the end.",
        minutes=45,
        planned_minutes=40,
        asystole=900.0,
        stops=2100.0,
        losses={1800: 60},
    ),
)


def truth(case: InventedCase, signal: Reading, second: float) -> float:
    """The level of a signal without its moving about, at a second of the case."""
    level = case.levels.get(signal, AT_REST[signal])
    for one in case.leaves:
        if one.signal == signal:
            into = second - one.begin
            share = min(into / one.ramp_s, (2 * one.ramp_s + one.lasts_s - into) / one.ramp_s, 1.0)
            level += max(share, 0.0) * (one.level - level)
    return level


def beyond(case: InventedCase, signal: Reading, limit: float) -> list[tuple[int, int]]:
    """From when to when the truth lies below a limit, seconds of the case."""
    found: list[tuple[int, int]] = []
    for second in range(case.minutes * 60):
        if truth(case, signal, second) < limit:
            if found and found[-1][1] == second:
                found[-1] = (found[-1][0], second + 1)
            else:
                found.append((second, second + 1))
    return found


def observations(
    case: InventedCase, start: datetime, patient_id: str, *, seed: int = 1, every_s: int = 1
) -> Iterator[tuple[int, dict[str, Any]]]:
    """What a monitor and a record send of the case, as FHIR Observations with the second at which they were taken."""
    sender = _Sender(case, start, patient_id)
    draw = random.Random(f"{case.id} {seed}")  # noqa: S311 - invented values, nothing secret
    wander = 0.0
    for second in range(0, case.minutes * 60 + 1, every_s):
        wander = _moved(wander, case.moves, every_s, draw)
        if case.stops is None or second < case.stops:
            yield from ((second, one) for one in _of_monitor(sender, second, wander, draw, every_s))
        yield from ((second, one) for one in _of_record(sender, second, every_s))


def _moved(wander: float, deviation: float, every_s: int, draw: random.Random) -> float:
    """The next value of a pressure that moves about its level and forgets half of where it was in 35 seconds."""
    kept = float(0.98**every_s)
    return kept * wander + draw.gauss(0.0, deviation) * math.sqrt(1 - kept * kept)


def _of_monitor(
    sender: _Sender, second: int, wander: float, draw: random.Random, every_s: int
) -> Iterator[dict[str, Any]]:
    case = sender.case
    mean = truth(case, "mean-pressure", second) + wander
    if case.line:
        yield sender.pressures(second, LINE, _shown(case, second, mean), LINE_DEVICE)
    if case.cuff_s and second % case.cuff_s < every_s:
        yield sender.pressures(second, CUFF, _pulse(mean), CUFF_DEVICE)
    rate = truth(case, "heart-rate", second) + draw.gauss(0, 1.5)
    yield sender.number(second, HEART_RATE, round(rate))
    yield sender.number(second, SPO2, min(100, round(truth(case, "spo2", second) + draw.gauss(0, 0.4))))
    if second % _TEMPERATURE_S < every_s:
        yield sender.number(second, TEMPERATURE, round(truth(case, "temperature", second), 1))


def _of_record(sender: _Sender, second: int, every_s: int) -> Iterator[dict[str, Any]]:
    for at, volume in sender.case.losses.items():
        if at <= second < at + every_s:
            yield sender.number(second, BLOOD_LOSS, volume)
    asystole = sender.case.asystole
    if asystole is not None and asystole <= second < asystole + every_s:
        concept = {"coding": [{"system": SNOMED, "code": ASYSTOLE}]}
        yield sender.observation(second, RHYTHM, {"valueCodeableConcept": concept})


def _pulse(mean: float) -> tuple[int, int, int]:
    """Systolic, mean and diastolic pressure of a mean one."""
    return round(mean * 1.45), round(mean), round(mean * 0.77)


def _shown(case: InventedCase, second: int, mean: float) -> tuple[int, int, int]:
    """What the arterial line shows: the pressures, or what a trick makes of them."""
    for trick in case.tricks:
        if trick.begin <= second < trick.begin + trick.lasts_s:
            if trick.looks == "flush":
                return 297, 295, 293
            if trick.looks == "disconnection":
                return 3, 1, 0
            systolic, middle, diastolic = _pulse(mean)
            return systolic - 50, middle - 45, diastolic - 42
    return _pulse(mean)


class _Sender:
    """Writes the Observations of one case."""

    def __init__(self, case: InventedCase, start: datetime, patient_id: str) -> None:
        self.case, self._start, self._patient = case, start, patient_id

    def observation(self, second: int, code: str, members: dict[str, Any]) -> dict[str, Any]:
        """One Observation of the patient at a second of the case."""
        return {
            "resourceType": "Observation",
            "id": f"{self.case.id}-{code}-{second}",
            "status": "final",
            "code": _concept(code),
            "subject": {"reference": f"Patient/{self._patient}"},
            "effectiveDateTime": (self._start + timedelta(seconds=second)).isoformat(),
            **members,
        }

    def number(self, second: int, code: str, value: float) -> dict[str, Any]:
        """One value of the monitor, or one volume of the record."""
        members: dict[str, Any] = {"valueQuantity": _quantity(value, _UNITS[code])}
        if code != BLOOD_LOSS:
            members["device"] = {"reference": LINE_DEVICE}
        return self.observation(second, code, members)

    def pressures(
        self, second: int, codes: tuple[str, str, str], values: tuple[int, int, int], device: str
    ) -> dict[str, Any]:
        """A panel of systolic, mean and diastolic pressure."""
        parts = [
            {"code": _concept(code), "valueQuantity": _quantity(value, "mm[Hg]")}
            for code, value in zip(codes, values, strict=True)
        ]
        found = self.observation(second, PANEL, {"component": parts, "device": {"reference": device}})
        return found | {"id": f"{self.case.id}-{codes[1]}-{second}"}


def _concept(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "code": unit, "system": UCUM}


def before(case: InventedCase, start: datetime, patient_id: str) -> list[dict[str, Any]]:
    """The pressures of earlier visits, from which the patient's own baseline comes."""
    codes = ("8480-6", "8462-4")
    found = []
    for days, *pressures in VISITS:
        parts = [
            {"code": _concept(code), "valueQuantity": _quantity(value, "mm[Hg]")}
            for code, value in zip(codes, pressures, strict=True)
        ]
        sender = _Sender(case, start + timedelta(days=days), patient_id)
        found.append(sender.observation(0, PANEL, {"component": parts}) | {"id": f"{case.id}-visit{days}"})
    return found


def procedure(case: InventedCase, start: datetime, patient_id: str, *, ended: bool) -> dict[str, Any]:
    """The Procedure that gives start and end of the case."""
    period = {"start": start.isoformat()}
    if ended:
        period["end"] = (start + timedelta(minutes=case.minutes)).isoformat()
    return {
        "resourceType": "Procedure",
        "id": case.id,
        "status": "completed" if ended else "in-progress",
        "subject": {"reference": f"Patient/{patient_id}"},
        "performedPeriod": period,
    }
