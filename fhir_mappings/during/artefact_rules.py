"""What is no measurement of the patient: each rule with its limits, its source and what follows; one row each.

What a rule touches is set aside, never deleted and never replaced by another number: it is shown as set aside, and it
ends the value before it, so that there is a gap until the next value that counts (steps.py). Every rule has a case that
it must and one that it must not touch (tests/fhir_mappings/during/test_artefacts.py).
"""

from __future__ import annotations

import math

from msgspec import Struct

from fhir_mappings.during.course import Signal

# Salmasi V et al. Relationship between intraoperative hypotension, defined by either reduction from baseline or
# absolute thresholds, and acute kidney and myocardial injury after noncardiac surgery. Anesthesiology 2017;126:47-65.
SALMASI = "Salmasi 2017, doi:10.1097/ALN.0000000000001432"
# Li Q, Mark RG, Clifford GD. Artificial arterial blood pressure artifact models. BioMed Eng OnLine 2009;8:13.
LI = "Li 2009, doi:10.1186/1475-925X-8-13"
# Takla G et al. The problem of artifacts in patient monitor data during surgery. Anesth Analg 2006;103:1196-1204.
TAKLA = "Takla 2006, doi:10.1213/01.ane.0000247964.47706.5d"
OURS = "a rule of this service"


class ArtefactRule(Struct, frozen=True):
    """One rule: `words` say what it touches and what is set aside, `source` where its limits come from."""

    name: str
    words: str
    source: str


CONFLICT, OTHER_CODE, OTHER_DEVICE, FLUSH, DISCONNECTION, ORDER, RANGE, SPIKE, FROZEN = (
    "conflict", "another-code", "another-device", "flush", "disconnection", "pressure-order", "out-of-range", "spike",
    "frozen",
)  # fmt: skip

# Salmasi 2017: at or beyond these a pressure is no pressure of a patient; a mean lies between the other two. Of the
# rest ours: an ECG that counts nothing (lead off and asystole look alike, so that an asystole is taken from the record
# alone) or more than 300; a probe that measures the room.
PRESSURE_RANGE: dict[Signal, tuple[float, float]] = {
    "systolic-pressure": (20.0, 300.0),
    "mean-pressure": (5.0, 300.0),
    "diastolic-pressure": (5.0, 225.0),
}
OTHER_RANGE: dict[Signal, tuple[float, float]] = {
    "heart-rate": (0.0, 300.0),
    "temperature": (25.0, 45.0),
    "spo2": (0.0, math.inf),
}
# Salmasi 2017: a systolic pressure has to lie more than 5 mmHg above the diastolic one.
PULSE_AT_LEAST = 5.0
# Not so in an arrest, whose 15 to 25 mmHg have no pulse and are the patient's. Our limit.
STANDSTILL_MEAN = 30.0
# While the line is flushed it shows the pressure of the bag, without a pulse. Our limits; the shape: Li 2009.
FLUSH_MEAN, FLUSH_PULSE = 180.0, 10.0
# Open to air, or being zeroed: near nothing and without a pulse. In an arrest some 15 to 25 mmHg remain.
OPEN_MEAN, OPEN_PULSE = 10.0, 5.0


class SpikeRule(Struct, frozen=True, gc=False):
    """A spike leaves what was before by at least `by`, lasts at most `lasts_s` and is back within `within_s` seconds.

    How long it lasted nobody knows where the values before and after it lie further than `lasts_s` from it: it is none.
    """

    by: float
    within_s: float
    lasts_s: float


# Salmasi 2017: 40 mmHg within two minutes in both directions. Of a value a minute, as there, none is a spike here: it
# may have been a minute of the patient. (Its other limit, 80 mmHg within a minute in one
# direction, is not used: what does not come back may be a collapse.) How long it may last where
# values come more often, and the rest, is ours.
_PRESSURE_SPIKE = SpikeRule(40.0, 120.0, 30.0)
SPIKES: dict[Signal, SpikeRule] = {
    "systolic-pressure": _PRESSURE_SPIKE,
    "mean-pressure": _PRESSURE_SPIKE,
    "diastolic-pressure": _PRESSURE_SPIKE,
    "heart-rate": SpikeRule(50.0, 120.0, 10.0),
    "spo2": SpikeRule(15.0, 120.0, 10.0),
    "temperature": SpikeRule(1.0, 300.0, 60.0),
}
# An arterial line whose three pressures are the very same all this time, at least so many times.
FROZEN_S, FROZEN_VALUES = 300.0, 6

RULES: dict[str, ArtefactRule] = {
    rule.name: rule
    for rule in (
        ArtefactRule(CONFLICT, "one device tells two values of one instant: neither counts", OURS),
        ArtefactRule(
            OTHER_CODE,
            "a pulse rate beside a heart rate, or a body temperature beside that of the core, of one instant: it does"
            " not count",
            OURS,
        ),
        ArtefactRule(OTHER_DEVICE, "two devices tell one instant: the one that tells most of the case counts", OURS),
        ArtefactRule(
            FLUSH, "arterial line, mean 180 mmHg or more and less than 10 mmHg of pulse: none of the instant counts", LI
        ),
        ArtefactRule(
            DISCONNECTION,
            "arterial line, mean 10 mmHg or less and at most 5 mmHg of pulse (open to air, zeroed); temperature below"
            " 25 °C (probe in the room): it does not count",
            f"{LI}; limits: {OURS}",
        ),
        ArtefactRule(
            ORDER,
            "mean above systolic or below diastolic, or systolic at most 5 mmHg above diastolic with a mean above 30"
            " mmHg: none of the instant counts",
            f"{SALMASI}; of the mean: by definition; its 30 mmHg: {OURS}",
        ),
        ArtefactRule(
            RANGE,
            "systolic 20 or less or 300 mmHg or more, diastolic 5 or less or 225 or more (none of the instant counts);"
            " heart rate 0 or 300 and more; SpO2 0; temperature 45 °C and more",
            f"{SALMASI}; heart rate, SpO2 and temperature: {OURS}",
        ),
        ArtefactRule(
            SPIKE,
            "leaves what was before by 40 mmHg or more for at most 30 s, with a value within 30 s before and after, and"
            " is back within two minutes (heart rate 50 and SpO2 15: 10 s, temperature 1 °C: 60 s): it does not count,"
            " nor do the other pressures of the instant, the mean only where it leapt by 20 mmHg",
            f"{SALMASI}; heart rate, SpO2 and temperature: {OURS}, after {TAKLA}",
        ),
        ArtefactRule(
            FROZEN,
            "arterial line, the very same systolic, diastolic and mean for five minutes, at least six times: all but"
            " the first do not count",
            OURS,
        ),
    )
}
