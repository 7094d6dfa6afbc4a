"""The published models, each built from its coefficients as printed (published_coefficients.json)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models_onnx.model_card import PointsBand
from models_onnx.score import PublishedRate
from models_onnx.training.equations import AdditiveEquation, Levels, Linear, Steps, Term
from models_onnx.training.inputs import INPUTS, encoded, procedure_groups

Coefficients = Mapping[str, Any]
NAN = float("nan")
NOT_GRADED = "the order's code does not tell what this equation needs to know of the operation"
# The person against whom contributions are told, for the same operation. ASA II and 60 years stand near the middle
# of elective surgery; everything else is the absence of the risk factor.
REFERENCE: dict[str, float | bool | str] = {
    "age": 60,
    "asa_class": 2,
    "functional_status": "independent",
    "creatinine": 1.0,
    "sepsis": "none",
    "urgency": "elective",
    "cancer": False,
}


@dataclass(frozen=True)
class Published:
    """A published model: its estimator, the rates published per points, and the procedure groups for which it
    cannot answer, with the reason.
    """

    estimator: AdditiveEquation
    outside: Mapping[str, str] = field(default_factory=dict)
    not_graded: Mapping[str, str] = field(default_factory=dict)
    rates: tuple[PointsBand, ...] = ()


def coefficients() -> dict[str, Any]:
    """Every published coefficient of the project, with its source."""
    path = Path(__file__).with_name("published_coefficients.json")
    equations: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["equations"]
    return equations


def above(cut: float) -> float:
    """The smallest number above `cut`: where a published "greater than" begins."""
    return math.nextafter(cut, math.inf)


def steps(name: str, cuts: tuple[float, ...], values: tuple[float, ...]) -> Steps:
    """A step function of a number, within the input's bounds."""
    return Steps(name, cuts, values, INPUTS[name]["low"], INPUTS[name]["high"])


def asa_steps(by_class: Mapping[str, float]) -> Steps:
    """One coefficient per ASA class, 1 to 5."""
    return steps("asa_class", (2.0, 3.0, 4.0, 5.0), tuple(by_class[str(asa)] for asa in range(1, 6)))


def functional(terms: Coefficients) -> Levels:
    """Independent, partially and totally dependent, as NSQIP defines them."""
    return Levels("functional_status", (terms["independent"], terms["partial"], terms["total"]))


def sepsis(terms: Coefficients) -> Levels:
    """None, SIRS, sepsis and septic shock in the 48 hours before the operation, as NSQIP defines them."""
    return Levels("sepsis", tuple(terms[key] for key in ("none", "sirs", "sepsis", "septic_shock")))


def linear_age(slope: float) -> Linear:
    """A slope per year of age."""
    return Linear("age", slope, INPUTS["age"]["low"], INPUTS["age"]["high"])


def by_group(value: Callable[[Mapping[str, Any]], float | None]) -> Levels:
    """One coefficient per procedure group; NaN where the equation does not know the operation."""
    found = (value(group) for group in procedure_groups())
    return Levels("procedure_group", tuple(NAN if number is None else number for number in found))


def equation(
    terms: tuple[Term, ...], intercept: float, *, reference: Mapping[str, Any] = REFERENCE
) -> AdditiveEquation:
    """A logistic equation whose contributions compare with `reference` having the same operation."""
    names = {term.input for term in terms}
    codes = {name: encoded(name, value) for name, value in reference.items() if name in names}
    operation = "procedure_group" if "procedure_group" in names else None
    return AdditiveEquation(terms, intercept, operation=operation, reference=codes).fit()


def points(terms: tuple[Term, ...]) -> AdditiveEquation:
    """A points score: contributions are the points of each item."""
    return AdditiveEquation(terms, 0.0, link="points").fit()


def yes(name: str, coefficient: float) -> Levels:
    """A coefficient for yes, nothing for no."""
    return Levels(name, (0.0, coefficient))


def sort_2014(c: Coefficients) -> Published:
    """30-day death. The equation's age steps begin at 65 and 80; "expedited" is never assumed (inputs, section 7)."""
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
    return Published(estimator, outside, _not_graded(estimator, outside))


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
    return Published(estimator, {}, _not_graded(estimator, {}))


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
    return Published(estimator, {}, _not_graded(estimator, {}))


def rcri(c: Coefficients) -> Published:
    """Lee's revised cardiac risk index, 0 to 6 points; creatinine counts above 2.0 mg/dL."""
    one = c["points"]

    def high_risk(group: Mapping[str, Any]) -> float | None:
        known = group["rcri_high_risk_surgery"]
        factor: float = one["high_risk_surgery_intraperitoneal_intrathoracic_suprainguinal_vascular"]
        return None if known is None else known * factor

    estimator = points(
        (
            by_group(high_risk),
            yes("ischaemic_heart_disease", one["ischaemic_heart_disease"]),
            yes("heart_failure", one["congestive_heart_failure"]),
            yes("cerebrovascular_disease", one["cerebrovascular_disease"]),
            yes("insulin", one["preop_insulin"]),
            steps("creatinine", (above(2.0),), (0.0, one["creatinine_gt_2_mg_dl"])),
        )
    )
    outside = {
        g["name"]: "made for non-cardiac surgery" for g in procedure_groups() if g["nsqip_category"] == "cardiac"
    }
    return Published(estimator, outside, _not_graded(estimator, outside), rcri_rates(c["risk_pct"]))


def rcri_rates(percent: Mapping[str, Any]) -> tuple[PointsBand, ...]:
    """Per number of points the CCS 2017 pooled rate with its interval, and Lee's of 1999 (DEC-28)."""
    bands = []
    for low, high, key in ((0.0, 0.0, "0"), (1.0, 1.0, "1"), (2.0, 2.0, "2"), (3.0, 6.0, ">=3")):
        rate, least, most = (round(number / 100, 6) for number in percent["ccs_2017_duceppe"][key])
        lee = round(percent["lee_1999_validation"][key] / 100, 6)
        ccs = PublishedRate(source="CCS 2017", probability=rate, low=least, high=most)
        bands.append(
            PointsBand(low=low, high=high, rates=(ccs, PublishedRate(source="Lee 1999 validation", probability=lee)))
        )
    return tuple(bands)


def mfi_5(c: Coefficients) -> Published:
    """The five-item modified frailty index, 0 to 5 points."""
    one = c["points"]
    dependent = one["functional_partially_or_totally_dependent"]
    return Published(
        points(
            (
                yes("diabetes", one["diabetes_oral_or_insulin"]),
                yes("hypertension_on_medication", one["hypertension_on_medication"]),
                yes("copd", one["copd_or_recent_pneumonia"]),
                yes("heart_failure", one["chf_within_30d"]),
                Levels("functional_status", (0.0, dependent, dependent)),
            )
        )
    )


def _not_graded(estimator: AdditiveEquation, outside: Mapping[str, str]) -> dict[str, str]:
    operation = next(term for term in estimator.terms if term.input == "procedure_group")
    if not isinstance(operation, Levels):
        raise TypeError("an operation is a category")
    rows = zip(procedure_groups(), operation.coefficients, strict=True)
    return {
        group["name"]: group["assumption"] or NOT_GRADED
        for group, coefficient in rows
        if math.isnan(coefficient) and group["name"] not in outside
    }


BUILDERS: dict[str, tuple[str, Callable[[Coefficients], Published]]] = {
    "sort-2014": ("sort_2014", sort_2014),
    "gupta-mica": ("gupta_mica", gupta_mica),
    "gupta-respiratory-failure": ("gupta_respiratory_failure", gupta_respiratory_failure),
    "rcri": ("rcri", rcri),
    "mfi-5": ("mfi5", mfi_5),
}


def published() -> dict[str, Published]:
    """Every published model by name, built from the coefficients in the repository."""
    source = coefficients()
    return {name: build(source[key]) for name, (key, build) in BUILDERS.items()}
