"""Comorbidity by the published maps of Charlson (Quan) and the Hospital Frailty Risk Score, and ARISCAT's infection."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from fhir_mappings.fhir.clock import Clock, could_be_within
from fhir_mappings.fhir.coverage import Coverage
from fhir_mappings.fhir.dates import Moment
from fhir_mappings.patient.diagnoses import Diagnoses, Diagnosis
from fhir_mappings.patient.diagnosis_features import no, present, present_by
from fhir_mappings.results.feature import Feature, Features
from models_onnx import data_files

HFRS_DAYS = 730  # Gilbert 2018: codes of two years
INFECTION_DAYS = 30  # ARISCAT: treated in the last month
HFRS_MAXIMUM = 173.2

_YES_NO = {
    "charlson_heart_failure": "charlson-heart-failure",
    "charlson_dementia": "charlson-dementia",
    "charlson_pulmonary_disease": "charlson-pulmonary-disease",
    "charlson_rheumatic_disease": "charlson-rheumatic-disease",
    "charlson_complicated_diabetes": "charlson-complicated-diabetes",
    "charlson_paralysis": "charlson-paralysis",
    "charlson_kidney_disease": "charlson-kidney-disease",
    "charlson_hiv": "charlson-hiv",
}
# The graver of two hides the other, as the index has it.
_GRADED = {
    "charlson_liver_disease": (
        ("charlson-severe-liver-disease", "moderate-or-severe"),
        ("charlson-mild-liver-disease", "mild"),
    ),
    "charlson_malignancy": (("charlson-metastatic-tumour", "metastatic"), ("charlson-malignancy", "malignancy")),
}
_WEIGHTS: dict[str, float] = data_files.read_json(Path(__file__).with_name("hfrs_weights.json"), dict)["weights"]


def charlson(diagnoses: Diagnoses, seen: Coverage) -> Features:
    """The categories of the Charlson index that have a weight in Quan 2011, by current diagnoses."""
    found = {name: present(name, idea, diagnoses, seen) for name, idea in _YES_NO.items()}
    return found | {name: _graded(name, diagnoses, seen) for name in _GRADED}


def _graded(name: str, diagnoses: Diagnoses, seen: Coverage) -> Feature:
    """The gravest that is known; missing where something graver could be among what was not understood."""
    graver: list[str] = []
    for idea, value in _GRADED[name]:
        feature = present(name, idea, diagnoses, seen)
        if feature.usable and feature.value is True and not graver:
            return msgspec.structs.replace(feature, value=value, model_value=value)
        if feature.usable and feature.value is True:
            return _at_least(name, value, graver, seen)
        if feature.status == "conflicting":
            return msgspec.structs.replace(feature, could_be=("none", *(grade for _, grade in reversed(_GRADED[name]))))
        graver += [value] if diagnoses.seen(seen, idea, current=True).gap else []
    if graver:
        return _at_least(name, "none", graver, seen)
    all_seen = diagnoses.seen(seen, *(idea for idea, _ in _GRADED[name]), current=True)
    return msgspec.structs.replace(no(name, all_seen), value="none", model_value="none")


def _at_least(name: str, value: str, graver: list[str], seen: Coverage) -> Feature:
    gap = seen.of_current.gap
    return Feature(name=name, status="missing", reason=gap, flags=seen.flags, could_be=(value, *reversed(graver)))


def frailty_points(diagnoses: Diagnoses, seen: Coverage, now: Clock) -> Feature:
    """Hospital Frailty Risk Score, points: weights of the three-character codes known in two years, each once.

    What was not understood, or has no ICD-10 code, could only add: then the count is a lower limit, told as such and
    not used (DEC-38).
    Source: Gilbert T et al. Lancet 2018;391:1775-1782, doi:10.1016/S0140-6736(18)30668-8
    """
    codes = {
        category
        for one in diagnoses.of("hfrs-codes", current=False)
        if _known_within_two_years(one, now)
        for category in one.categories
    }
    points = round(math.fsum(_WEIGHTS.get(code, 0.0) for code in codes), 1)
    gap = diagnoses.seen(seen, "hfrs-codes", could=lambda one: _known_within_two_years(one, now)).gap
    if not gap and any(_known_within_two_years(one, now) for one in diagnoses.outside_icd):
        gap = "outside-icd"
    if gap:
        possible = (points, HFRS_MAXIMUM)
        return Feature(
            name="hfrs_points",
            status="missing",
            unit="1",
            reason=gap,
            flags=seen.flags,
            comparator=">=",
            could_be=possible,
            value=points,
        )
    return Feature(name="hfrs_points", status="used", value=points, model_value=points, unit="1", flags=seen.flags)


def _known_within_two_years(one: Diagnosis, now: Clock) -> bool:
    return (known := one.known or one.onset) is None or could_be_within(known, HFRS_DAYS, now)


def respiratory_infection(diagnoses: Diagnoses, seen: Coverage, now: Clock) -> Feature:
    """Whether a respiratory infection began within the last month, over or not (ARISCAT)."""
    name = "respiratory_infection"
    recent = tuple(
        one
        for one in diagnoses.of("respiratory-infection", current=False)
        if one.began and _within_a_month(one.began, now)
    )
    if recent:
        return present_by(name, recent, seen.flags)
    could = diagnoses.seen(
        seen, "respiratory-infection", could=lambda one: one.began is None or _within_a_month(one.began, now)
    )
    return no(name, could)


def _within_a_month(began: Moment, now: Clock) -> bool:
    return could_be_within(began, INFECTION_DAYS, now)
