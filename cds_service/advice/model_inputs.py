"""What the models are given of the features: values; of what is not exactly known the limits; what could be either."""

from __future__ import annotations

import msgspec

from fhir_mappings.fhir.coverage import NOT_UNDERSTOOD
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.patient.pregnancy import Pregnancy
from fhir_mappings.results.feature import Features
from fhir_mappings.terminology.understanding import ALL_UNDERSTOOD, NotUnderstood
from models_onnx.inexact_inputs import Within
from models_onnx.open_inputs import NOTHING_OPEN, Open
from models_onnx.score import InputValue


def values(features: Features) -> dict[str, InputValue | None]:
    """The value of every feature that may be scored, None for every other."""
    return {name: feature.model_value if feature.usable else None for name, feature in features.items()}


def limits(features: Features) -> dict[str, Within]:
    """Of the usable features that are not exactly known, what they could be.

    An age of which the year or month of birth is known is a number and its neighbour; a result above or below a
    limit, or a range, is no number at all (inputs 1.5: "missing for continuous use").
    """
    return {
        name: Within(*feature.possible, censored="bound" in feature.flags)
        for name, feature in features.items()
        if feature.possible is not None and feature.usable
    }


class Unknowns(msgspec.Struct, frozen=True):
    """What the record leaves open beside its missing results: lists not all understood, and whether she is pregnant."""

    opened: Open = NOTHING_OPEN
    not_understood: NotUnderstood = ALL_UNDERSTOOD
    pregnancy: Pregnancy = "no"


NOTHING_UNKNOWN = Unknowns()


def unknowns(record: PatientRecord, features: Features) -> Unknowns:
    """What the record leaves open, as the models and the card are told it."""
    missed = record.not_understood
    return Unknowns(opened(features, missed.meanings), missed, record.pregnancy)


def opened(features: Features, meanings: int) -> Open:
    """Of the features that rest on lists and are missing, what they could be (DEC-38).

    `meanings`: how many things the entries could name that were not understood: so many features can they make true
    at most. A list that was cut short or could not be read sets no such limit.
    """
    found = {name: one for name, one in features.items() if one.could_be and not one.usable}
    if not found:
        return NOTHING_OPEN
    counted = frozenset(name for name, one in found.items() if one.reason == NOT_UNDERSTOOD)
    return Open({name: one.could_be for name, one in found.items()}, counted, meanings)
