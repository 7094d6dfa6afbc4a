"""What the record knows of this patient that is in no figure of the card: diseases, medicines, results out of bounds.

Only what is there is told: what was not found, not read or not understood is never called known.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from cds_service.advice import feature_text
from cds_service.advice.assessment import Assessment
from fhir_mappings.results.feature import Feature

# In the order in which they are told.
_PRESENT = (
    "respiratory_infection", "dialysis", "metastatic_cancer", "anticoagulant", "heart_failure",
    "ischaemic_heart_disease", "cerebrovascular_disease", "copd",
)  # fmt: skip
_PRESENT_AFTER_RESULTS = (
    "cancer", "insulin", "diabetes", "chronic_kidney_disease", "dementia", "antiplatelet", "steroid", "opioid",
    "hypertension_on_medication",
)  # fmt: skip
# Below which a result is told.
_BELOW = {
    "haemoglobin": 13.0,  # ICCAMS 2022, both sexes: the catalogue's row of iron tests
    "albumin": 3.5,  # CNS 2021, Preoperative Nutrition Assessment: the catalogue's row of the dietitian
    "egfr": 60.0,  # KDIGO 2024, Kidney Int 105(4S):S117, category G3a
    "sodium": 135.0,  # Leung 2012, Arch Intern Med 172:1474: deaths in 30 days 5.2 against 1.3 %
    "platelets": 150.0,  # Glance 2014, Anesthesiology 120:62: mild thrombocytopenia
    "spo2": 96.0,  # Canet 2010, Anesthesiology 113:1338 (ARISCAT): from 96 % on no points
    "bmi": 18.5,  # WHO Technical Report Series 894 (2000): underweight
}
# Above which.
_ABOVE = {
    "creatinine": 1.5,  # Gupta 2011, Circulation 124:381: the cut-point of its equation
    "inr": 1.5,  # CHEST 2022, Douketis, Chest 162:e207: called elevated one or two days before an operation
}
# From which on.
_FROM = {
    "hba1c": 8.0,  # ADA 2024, Standards of Care 16: the goal before elective surgery is below it
    "bmi": 40.0,  # WHO Technical Report Series 894 (2000): obesity class III
}
_NEVER = float("inf")
_RESULTS = ("haemoglobin", "albumin", "creatinine", "egfr", "hba1c", "inr", "platelets", "sodium", "spo2", "bmi")
_WORST = {"functional_status": ("partially-dependent", "totally-dependent"), "smoking_status": ("current",)}
_ORDER = (*_PRESENT, "functional_status", *_RESULTS, "smoking_status", *_PRESENT_AFTER_RESULTS)
# What says the same already.
_SAYS = {
    "dialysis": ("chronic_kidney_disease", "creatinine", "egfr"),
    "metastatic_cancer": ("cancer",),
    "insulin": ("diabetes",),
    "creatinine": ("egfr",),
}
# What is left to be told of it where a figure reads the other: that is no longer in no figure.
_BEYOND = {("metastatic_cancer", "cancer"): "spread of the cancer"}


def of(assessment: Assessment, *, dated: bool = True) -> tuple[str, ...]:
    """Each in words, what matters most first. `dated`: a result with its day."""
    read = {one.input for told in assessment.computed for one in told.score.contributions}
    found = [one for one in _found(assessment) if one.name not in read]
    names = read | {one.name for one in found}
    said = {other for name, others in _SAYS.items() if name in names for other in others}
    told = [one if dated else msgspec.structs.replace(one, time=None) for one in found if one.name not in said]
    return tuple([_beyond(one.name, read) or feature_text.in_a_list(one, assessment.today) for one in told])


def _beyond(name: str, read: Collection[str]) -> str:
    """The part of it that no figure has, where one has the rest; "" where none has any of it."""
    return next((words for (own, other), words in _BEYOND.items() if own == name and other in read), "")


def _found(assessment: Assessment) -> list[Feature]:
    asked = map(assessment.features.__getitem__, _ORDER)
    return [one for one in asked if one.model_value is not False and one.usable and _is_news(one)]


def _is_news(feature: Feature) -> bool:
    """Present, or out of bounds whatever of its possible values it has."""
    name, value = feature.name, feature.model_value
    if name in _WORST:
        return value in _WORST[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is True
    low, high = feature.possible or (value, value)
    return high < _BELOW.get(name, -_NEVER) or low > _ABOVE.get(name, _NEVER) or low >= _FROM.get(name, _NEVER)
