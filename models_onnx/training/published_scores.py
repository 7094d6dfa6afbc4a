"""The published points scores: items and the rates that were published with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models_onnx.model_card import PointsBand
from models_onnx.score import PublishedRate
from models_onnx.training.equations import Levels, Linear
from models_onnx.training.inputs import INPUTS, procedure_attribute, procedure_groups
from models_onnx.training.published_terms import (
    Coefficients,
    Published,
    above,
    by_group,
    not_graded,
    points,
    steps,
    yes,
)


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
    return Published(estimator, outside, not_graded(estimator, outside), rcri_rates(c["risk_pct"]))


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


def ariscat(c: Coefficients) -> Published:
    """Pulmonary complications, 0 to 123 points. SpO2 counts as a whole percent, half up: hence 95.5 and 90.5."""
    one = c["points"]
    age, spo2, incision, duration = one["age"], one["spo2_room_air"], one["incision"], one["duration_h"]

    def of_incision(group: Mapping[str, Any]) -> float | None:
        kind = procedure_attribute(group["name"], "ariscat_incision")
        return None if kind is None else float(incision[kind])

    estimator = points(
        (
            by_group(of_incision),
            steps("age", (51.0, 81.0), (age["<=50"], age["51-80"], age[">80"])),
            steps("spo2", (90.5, 95.5), (spo2["<=90"], spo2["91-95"], spo2[">=96"])),
            steps("haemoglobin", (above(10.0),), (one["preop_hb_le_10_g_dl"], 0.0)),
            yes("respiratory_infection", one["respiratory_infection_last_month"]),
            steps("planned_duration", (above(2.0), above(3.0)), (duration["<=2"], duration[">2-3"], duration[">3"])),
            Levels("urgency", (0.0, one["emergency"], one["emergency"])),
        )
    )
    percent = c["risk_pct"]
    bands = [
        _band(low, high, "Canet 2010", percent[key])
        for low, high, key in ((0, 25, "<26"), (26, 44, "26-44"), (45, 123, ">=45"))
    ]
    return Published(estimator, {}, not_graded(estimator, {}), tuple(bands))


def apfel(c: Coefficients) -> Published:
    """Nausea or vomiting, 0 to 4 points; whoever does not smoke now is a non-smoker."""
    one = c["points"]
    estimator = points(
        (
            Levels("sex", (one["female"], 0.0)),
            Levels("smoking_status", (one["non_smoker"], one["non_smoker"], 0.0)),
            yes("nausea_or_motion_sickness_history", one["history_ponv_or_motion_sickness"]),
            yes("postoperative_opioid_planned", one["postoperative_opioids"]),
        )
    )
    bands = [_band(float(key), float(key), "Apfel 1999", percent) for key, percent in c["risk_pct"].items()]
    return Published(estimator, rates=tuple(bands))


def charlson_quan(c: Coefficients) -> Published:
    """Comorbidity burden with the weights of Quan 2011; of two grades of one disease only the graver counts.

    Conditions that weigh nothing in 2011 (myocardial infarction, peripheral and cerebral vessels, ulcer,
    uncomplicated diabetes) are not asked for.
    """
    weight = c["weights_quan_2011"]
    return Published(
        points(
            (
                yes("charlson_heart_failure", weight["chf"]),
                yes("charlson_dementia", weight["dementia"]),
                yes("charlson_pulmonary_disease", weight["copd"]),
                yes("charlson_rheumatic_disease", weight["rheumatic"]),
                Levels("charlson_liver_disease", (0.0, weight["mild_liver"], weight["moderate_severe_liver"])),
                yes("charlson_complicated_diabetes", weight["diabetes_complicated"]),
                yes("charlson_paralysis", weight["hemiplegia"]),
                yes("charlson_kidney_disease", weight["renal"]),
                Levels("charlson_malignancy", (0.0, weight["any_malignancy"], weight["metastatic"])),
                yes("charlson_hiv", weight["aids"]),
            )
        )
    )


def hfrs(c: Coefficients) -> Published:
    """The hospital frailty risk score; its 109 codes are weighed where diagnoses are read, as one input."""
    return Published(points((Linear("hfrs_points", 1.0, INPUTS["hfrs_points"]["low"], c["sum_of_weights"]),)))


def surgical_apgar(c: Coefficients) -> Published:
    """The Surgical Apgar Score, 0 to 10 points; numbers count as whole ones, half up: hence the cut-points at .5.

    A heart rate of 0 stands for a recorded pathologic bradyarrhythmia or asystole, which has no points.
    """
    one = c["points"]
    loss, pressure, rate = one["blood_loss_ml"], one["lowest_mean_pressure_mmhg"], one["lowest_heart_rate_per_min"]
    levels = ("<=55", "56-65", "66-75", "76-85", ">85")
    estimator = points(
        (
            steps(
                "blood_loss",
                (100.5, 600.5, 1000.5),
                tuple(loss[key] for key in ("<=100", "101-600", "601-1000", ">1000")),
            ),
            steps(
                "lowest_mean_pressure",
                (39.5, 54.5, 69.5),
                tuple(pressure[key] for key in ("<40", "40-54", "55-69", ">=70")),
            ),
            steps(
                "lowest_heart_rate",
                (0.5, 55.5, 65.5, 75.5, 85.5),
                (rate["pathologic bradyarrhythmia or asystole"], *(rate[key] for key in levels)),
            ),
        )
    )
    bands = []
    for key, rates in c["rates"].items():
        low, high = map(float, key.split("-"))
        bands.append(PointsBand(low=low, high=high, rates=tuple(map(_counted_rate, rates))))
    return Published(estimator, rates=tuple(bands))


def _counted_rate(rate: Mapping[str, Any]) -> PublishedRate:
    """A rate with the events that it rests on."""
    source = f"{rate['source']}, {rate['events']} of {rate['of']}"
    return PublishedRate(source=source, probability=round(rate["events"] / rate["of"], 6))


def _band(low: float, high: float, source: str, percent: float) -> PointsBand:
    rate = PublishedRate(source=source, probability=round(percent / 100, 6))
    return PointsBand(low=low, high=high, rates=(rate,))
