"""The published equations that give a probability, each as printed (published_coefficients.json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models_onnx.training.equations import Levels, Steps
from models_onnx.training.inputs import INPUTS, procedure_attribute, procedure_groups
from models_onnx.training.published_terms import (
    Coefficients,
    Published,
    above,
    asa_steps,
    by_group,
    equation,
    functional,
    linear_age,
    not_graded,
    sepsis,
    steps,
    yes,
)


def sort_2014(c: Coefficients) -> Published:
    """30-day death. The equation's age steps begin at 65 and 80; "expedited" is never assumed (inputs 7)."""
    terms = c["terms"]

    def operation(group: Mapping[str, Any]) -> float | None:
        severity, specialty = group["sort_severity_xmajor_or_complex"], group["sort_gi_thoracic_vascular"]
        if not group["sort_in_scope"] or severity is None or specialty is None:
            return None
        return float(
            severity * terms["severity_xmajor_or_complex"]
            + specialty * terms["high_risk_specialty_gi_thoracic_vascular"]
        )

    urgency = terms["urgency"]
    estimator = equation(
        (
            by_group(operation),
            asa_steps(terms["asa"]),
            Levels("urgency", (urgency["elective"], urgency["urgent"], urgency["immediate"])),
            yes("cancer", terms["cancer_within_5y"]),
            steps("age", (65.0, 80.0), tuple(terms["age"][band] for band in ("<65", "65-79", ">=80"))),
        ),
        c["intercept"],
    )
    outside = {
        g["name"]: g["assumption"] or "outside the operations that SORT was made for"
        for g in procedure_groups()
        if not g["sort_in_scope"]
    }
    return Published(estimator, outside, not_graded(estimator, outside))


def gupta_mica(c: Coefficients) -> Published:
    """Cardiac arrest or myocardial infarction. An unknown creatinine has its own published coefficient."""
    terms = c["terms"]
    creatinine = terms["creatinine"]
    estimator = equation(
        (
            by_group(lambda group: terms["procedure"].get(group["nsqip_category"])),
            linear_age(terms["age_per_year"]),
            asa_steps(terms["asa"]),
            functional(terms["functional"]),
            Steps(
                "creatinine",
                (above(1.5),),
                (creatinine["normal_le_1.5_mg_dl"], creatinine["elevated_gt_1.5_mg_dl"]),
                INPUTS["creatinine"]["low"],
                INPUTS["creatinine"]["high"],
                missing=creatinine["unknown"],
            ),
        ),
        c["intercept"],
    )
    return Published(estimator, {}, not_graded(estimator, {}))


def gupta_respiratory_failure(c: Coefficients) -> Published:
    """Respiratory failure. NSQIP knows only emergency or not: all but elective is an emergency."""
    terms = c["terms"]
    emergency = terms["emergency"]
    estimator = equation(
        (
            by_group(lambda group: terms["procedure"].get(group["nsqip_category"])),
            asa_steps(terms["asa"]),
            sepsis(terms["sepsis"]),
            functional(terms["functional"]),
            Levels("urgency", (emergency["no"], emergency["yes"], emergency["yes"])),
        ),
        c["intercept"],
    )
    return Published(estimator, {}, not_graded(estimator, {}))


def gupta_pneumonia(c: Coefficients) -> Published:
    """Pneumonia. "Smoker" is a current one: who stopped over a year ago counts as no (inputs 4)."""
    terms = c["terms"]
    smoker = terms["smoking_within_1y"]
    estimator = equation(
        (
            by_group(lambda group: terms["procedure"].get(group["nsqip_category"])),
            linear_age(terms["age_per_year"]),
            asa_steps(terms["asa"]),
            Levels("copd", (terms["copd"]["no"], terms["copd"]["yes"])),
            functional(terms["functional"]),
            sepsis(terms["sepsis"]),
            Levels("smoking_status", (smoker["no"], smoker["no"], smoker["yes"])),
        ),
        c["intercept"],
    )
    return Published(estimator, {}, not_graded(estimator, {}))


# The index has one coefficient for what NSQIP counts as two categories.
GSCRI_CATEGORY = {"gallbladder_appendix_adrenal_spleen": "gbaas_or_intestinal", "intestinal": "gbaas_or_intestinal"}


def gscri(c: Coefficients) -> Published:
    """Cardiac arrest or myocardial infarction at 65 years and over; creatinine counts above 1.5 mg/dL."""
    terms = c["terms"]
    diabetes = terms["diabetes"]
    estimator = equation(
        (
            by_group(
                lambda group: terms["procedure"].get(
                    GSCRI_CATEGORY.get(group["nsqip_category"], group["nsqip_category"])
                )
            ),
            asa_steps(terms["asa"]),
            functional(terms["functional"]),
            Levels("diabetes_treatment", (diabetes["none"], diabetes["no_insulin"], diabetes["insulin"])),
            yes("cerebrovascular_disease", terms["stroke_history"]),
            yes("heart_failure", terms["heart_failure"]),
            steps("creatinine", (above(1.5),), (0.0, terms["creatinine_gt_1_5_mg_dl"])),
        ),
        c["intercept"],
    )
    outside = {
        g["name"]: "the index has no cardiac surgery" for g in procedure_groups() if g["nsqip_category"] == "cardiac"
    }
    return Published(estimator, outside, not_graded(estimator, outside))


def sort_morbidity(c: Coefficients) -> Published:
    """Morbidity on day 7 of elective inpatients; spine counts as orthopaedic, as in the author's own procedure list."""
    terms = c["terms"]

    def operation(group: Mapping[str, Any]) -> float | None:
        severity = group["sort_severity_xmajor_or_complex"]
        specialty = procedure_attribute(group["name"], "sort_morbidity_specialty")
        if severity is None or specialty is None or not group["sort_in_scope"]:
            return None
        return float(severity * terms["severity_xmajor_or_complex"] + terms["specialty"][specialty])

    estimator = equation(
        (
            by_group(operation),
            asa_steps(terms["asa"]),
            yes("cancer", terms["cancer"]),
            steps("age", (65.0, 80.0), tuple(terms["age"][band] for band in ("<65", "65-79", ">=80"))),
        ),
        c["intercept"],
    )
    outside = {g["name"]: "outside the operations of the cohort" for g in procedure_groups() if not g["sort_in_scope"]}
    return Published(estimator, outside, not_graded(estimator, outside))
