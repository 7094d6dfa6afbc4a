"""What is read of each signal and amount: its codes, its unit with the factors of others, and how long a value holds.

Codes stand in value_sets/, each set with its source.
"""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from msgspec import Struct

from fhir_mappings.during.course import AMOUNTS, EVENTS, AmountKind, EventKind, Signal, Way
from fhir_mappings.results.measurement_rules import MeasurementRule
from fhir_mappings.terminology import value_sets
from fhir_mappings.terminology.units import SAME, Conversion

SETS = value_sets.load(Path(__file__).with_name("value_sets"))

# UCUM: a metre of mercury is 133.3220 kPa. https://ucum.org/ucum
KILOPASCAL = Conversion(1000 / 133.322)
_PRESSURE = {"mm[Hg]": SAME, "kPa": KILOPASCAL}
_TEMPERATURE = {"Cel": SAME, "[degF]": Conversion(5 / 9, -160 / 9), "K": Conversion(1.0, -273.15)}
_VOLUME = {"mL": SAME, "L": Conversion(1000.0), "dL": Conversion(100.0)}
# Texts that monitors and records write in the place of UCUM, folded (unit_texts.py); a site adds its own.
UNIT_TEXTS = {
    "mmhg": "mm[Hg]",
    "torr": "mm[Hg]",
    "bpm": "/min",
    "beats/min": "/min",
    "beats/minute": "/min",
    "1/min": "/min",
    "°c": "Cel",
    "degc": "Cel",
    "celsius": "Cel",
    "°f": "[degF]",
    "degf": "[degF]",
    "fahrenheit": "[degF]",
    "ml": "mL",
    "cc": "mL",
    "ltr": "L",
}


class SignalRule(Struct, frozen=True):
    """One signal: how its number is read, and how long one value stands for what followed it, in seconds.

    `holds_s` by way: nothing is told of the time beyond it (a gap). A cuff is inflated at least every five minutes (ASA
    Standards for Basic Anesthetic Monitoring, 2020), and six minutes are allowed for its own duration; what a monitor
    sends of the rest is a value a minute or more often in the records on which the limits rest (Salmasi 2017), and a
    minute more is allowed. A temperature changes slowly: a value each 15 minutes (NICE CG65) and one more.
    """

    signal: Signal
    label: str
    number: MeasurementRule
    holds_s: dict[Way, float]
    decimals: int = 0


def _number(name: str, unit: str, units: dict[str, Conversion], hard: tuple[float, float]) -> MeasurementRule:
    return MeasurementRule(
        name=name, label=name, unit=unit, units=units, lookback_days=0, hard=hard, soft=hard, laboratory=False
    )


def _rule(signal: Signal, label: str, number: MeasurementRule, holds_s: float, decimals: int = 0) -> SignalRule:
    every: dict[Way, float] = dict.fromkeys(get_args(Way), holds_s)
    return SignalRule(signal, label, number, every, decimals)


def _pressure(signal: Signal, label: str) -> SignalRule:
    number = _number(signal, "mm[Hg]", _PRESSURE, (-50, 400))
    return SignalRule(signal, label, number, {"invasive": 120.0, "cuff": 360.0, "unstated": 360.0})


# The widest numbers that are numbers of this signal at all, a pressure of an open line included; what of them is no
# pressure of a patient artefact_rules.py sets aside.
RULES: dict[Signal, SignalRule] = {
    rule.signal: rule
    for rule in (
        _rule("heart-rate", "heart rate", _number("heart-rate", "/min", {"/min": SAME}, (0, 400)), 120.0),
        _pressure("mean-pressure", "mean arterial pressure"),
        _pressure("systolic-pressure", "systolic pressure"),
        _pressure("diastolic-pressure", "diastolic pressure"),
        _rule("spo2", "oxygen saturation", _number("spo2", "%", {"%": SAME}, (0, 100)), 120.0),
        _rule("temperature", "temperature", _number("temperature", "Cel", _TEMPERATURE, (0, 50)), 1800.0, 1),
    )
}
AMOUNT_RULES: dict[AmountKind, MeasurementRule] = {kind: _number(kind, "mL", _VOLUME, (0, 100_000)) for kind in AMOUNTS}

# A pulse rate is no rate by ECG, and a body temperature none of the core: they count where the other is not told of the
# instant. LOINC, each with those that go before it.
SECOND_CODES: dict[str, frozenset[str]] = {
    "8889-8": frozenset({"8867-4", "76282-3"}),
    "8310-5": frozenset({"8329-5"}),
}

# By the id of a value set what its codes mean.
SIGNAL_OF: dict[str, tuple[Signal, Way]] = {
    **{signal: (signal, "unstated") for signal in RULES},
    **{
        f"{signal}-{way}": (signal, way) for signal in RULES for way in get_args(Way) if f"{signal}-{way}" in SETS.by_id
    },
}
AMOUNT_OF: dict[str, AmountKind] = {kind: kind for kind in AMOUNTS}
EVENT_OF: dict[str, EventKind] = {kind: kind for kind in EVENTS}
