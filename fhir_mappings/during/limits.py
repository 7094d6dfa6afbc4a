"""The published limits that exposures are told of, each with its source and what the evidence shows and does not."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from fhir_mappings.during.course import Signal


class Limit(Struct, frozen=True):
    """A limit of one signal in its unit, or, `of_baseline`, as a share of the patient's own value before."""

    name: str
    signal: Signal
    side: Literal["below", "above"]
    value: float
    words: str
    source: str
    of_baseline: bool = False

    def at(self, baseline: float | None) -> float | None:
        """The limit in the signal's unit for this patient; None where it rests on a baseline that is not known."""
        if not self.of_baseline:
            return self.value
        return None if baseline is None else self.value * baseline


# Salmasi V et al. Anesthesiology 2017;126:47-65: 57,315 operations of one hospital. Association, not proof.
SALMASI = "Salmasi 2017, doi:10.1097/ALN.0000000000001432"
# Ehrenfeld JM et al. The incidence of hypoxemia during surgery. Can J Anaesth 2010;57:888-897.
EHRENFELD = "Ehrenfeld 2010, Can J Anaesth 57:888-897"
# Hypothermia: prevention and management in adults having surgery, NICE clinical guideline 65, 2008 (updated 2016).
NICE = "NICE CG65"
EVIDENCE = (
    "Time below a limit goes with more injury of heart and kidney in large cohorts; that it causes them, and that"
    " raising the pressure prevents them, is not shown. For low-risk patients it adds little. This is an exposure."
    " It does not estimate a risk."
)

LIMITS: tuple[Limit, ...] = (
    Limit("map-below-65", "mean-pressure", "below", 65.0, "mean pressure below 65 mmHg", SALMASI),
    Limit(
        "map-20-below-baseline",
        "mean-pressure",
        "below",
        0.8,
        "mean pressure more than 20 % below the patient's own",
        SALMASI,
        of_baseline=True,
    ),
    Limit("spo2-below-90", "spo2", "below", 90.0, "oxygen saturation below 90 %", EHRENFELD),
    Limit("temperature-below-36", "temperature", "below", 36.0, "temperature below 36 °C", NICE),
)
BY_NAME = {limit.name: limit for limit in LIMITS}
