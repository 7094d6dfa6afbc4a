"""What the record knows of this patient that is in no figure of the card: diseases, medicines, results out of bounds.

Only what is there is told: what was not found, not read or not understood is never called known.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.advice import naming
from cds_service.advice.assessment import Assessment
from fhir_mappings.feature import Feature

# In the order in which they are told.
_PRESENT = (
    "respiratory_infection", "dialysis", "metastatic_cancer", "anticoagulant", "heart_failure",
    "ischaemic_heart_disease", "cerebrovascular_disease", "copd",
)  # fmt: skip
_PRESENT_AFTER_RESULTS = (
    "cancer", "insulin", "diabetes", "chronic_kidney_disease", "dementia", "antiplatelet", "steroid", "opioid",
    "hypertension_on_medication",
)  # fmt: skip
# Below or above which a result is told. Sources: haemoglobin ICCAMS 2022; albumin CNS 2021, nutrition; creatinine
# Gupta 2011 (its cut-point); eGFR KDIGO 2024 (chronic kidney disease); HbA1c clinical/inputs.md 1.5; oxygen
# saturation ARISCAT (Canet 2010); sodium Leung 2012, Arch Intern Med 172:1474; platelets Glance 2014,
# Anesthesiology 120:62; INR Green 2018, Br J Haematol 181:54; BMI WHO Technical Report 894.
_BELOW = {
    "haemoglobin": 13.0, "albumin": 3.5, "egfr": 60.0, "sodium": 135.0, "platelets": 150.0, "spo2": 96.0, "bmi": 18.5,
}  # fmt: skip
_FROM = {"creatinine": 1.5, "hba1c": 8.0, "inr": 1.5, "bmi": 40.0}
_RESULTS = ("haemoglobin", "albumin", "creatinine", "egfr", "hba1c", "inr", "platelets", "sodium", "spo2", "bmi")
_WORST = {"functional_status": ("partially-dependent", "totally-dependent"), "smoking_status": ("current",)}
# What says the same already.
_SAYS = {
    "dialysis": ("chronic_kidney_disease", "creatinine", "egfr"),
    "metastatic_cancer": ("cancer",),
    "insulin": ("diabetes",),
    "creatinine": ("egfr",),
}


def of(assessment: Assessment) -> tuple[str, ...]:
    """Each in words, what matters most first."""
    read = {one.input for told in assessment.computed for one in told.score.contributions}
    found = [one for one in _found(assessment) if one.name not in read]
    names = read | {one.name for one in found}
    said = {other for name, others in _SAYS.items() if name in names for other in others}
    return tuple([naming.in_a_list(one, assessment.today) for one in found if one.name not in said])


def _found(assessment: Assessment) -> Iterator[Feature]:
    features = assessment.features
    for name in (*_PRESENT, *_WORST, *_RESULTS, *_PRESENT_AFTER_RESULTS):
        feature = features[name]
        if feature.usable and _is_news(feature):
            yield feature


def _is_news(feature: Feature) -> bool:
    """Present, or out of bounds."""
    name, value = feature.name, feature.value
    if name in _WORST:
        return value in _WORST[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is True
    return value < _BELOW.get(name, value) or value >= _FROM.get(name, float("inf"))
