"""FEATURES: every input by name, label, unit, range and source; the contract that models and cards are held to."""

from __future__ import annotations

from fhir_mappings.features import nausea
from fhir_mappings.patient.comorbidity_burden import HFRS_DAYS, HFRS_MAXIMUM
from fhir_mappings.patient.findings import IMAGING_DAYS
from fhir_mappings.patient.questionnaire_answers import ASA_DAYS, FUNCTION_DAYS, SMOKING_DAYS
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.results.finding_rules import FINDINGS
from fhir_mappings.results.measurement_rules import RULES, MeasurementRule
from fhir_mappings.terminology.procedure_groups import GROUPS

_YES_NO = (
    ("diabetes", "diabetes", "Condition E08-E13 and SNOMED CT, current"),
    ("insulin", "insulin use", "MedicationRequest ATC A10A, or Condition Z79.4"),
    ("heart_failure", "heart failure", "Condition I50 and others, current or past; RCRI"),
    ("ischaemic_heart_disease", "ischaemic heart disease", "Condition I20-I25 and others, current or past; RCRI"),
    ("cerebrovascular_disease", "stroke or TIA", "Condition I60-I63, G45 and others, current or past; RCRI"),
    ("copd", "COPD", "Condition J41-J44, current"),
    (
        "hypertension_on_medication",
        "hypertension on medication",
        "Condition I10-I15 and a medicine of ATC C02, C03, C07-C09",
    ),
    ("dialysis", "dialysis", "Condition Z99.2 or N18.6, or a dialysis Procedure within 14 days; NSQIP"),
    ("chronic_kidney_disease", "chronic kidney disease", "Condition N18.3-N18.6, N18.9 and others, current"),
    ("cancer", "cancer", "Condition C00-C96 but C44, current or ended within 5 years; SORT"),
    ("metastatic_cancer", "metastatic cancer", "Condition C77-C79, C7B, C80.0, current"),
    ("dementia", "dementia", "Condition F01-F03, G30, G31.0, G31.83, current"),
    ("anticoagulant", "anticoagulant use", "MedicationRequest ATC B01AA, AB, AE, AF, AX05, or Condition Z79.01"),
    ("antiplatelet", "antiplatelet use", "MedicationRequest ATC B01AC, or Condition Z79.02, Z79.82"),
    ("steroid", "systemic steroid use", "MedicationRequest ATC H02AB, or Condition Z79.52"),
    ("opioid", "opioid use", "MedicationRequest ATC N02A and others, or Condition Z79.891"),
    ("previous_spine_surgery", "previous spine surgery", "Procedure of a spine group, or Condition Z98.1, M96.1"),
)


def _measured(rule: MeasurementRule) -> FeatureDefinition:
    return FeatureDefinition(
        name=rule.name,
        label=rule.label,
        kind="number",
        unit=rule.unit,
        source=rule.source or f"Observation by LOINC, the latest in the window (value set {rule.idea})",
        low=rule.hard[0],
        high=rule.hard[1],
        lookback_days=rule.lookback_days,
        decimals=rule.decimals,
    )


def _category(
    name: str, label: str, source: str, *categories: str, lookback_days: int | None = None
) -> FeatureDefinition:
    return FeatureDefinition(
        name=name,
        label=label,
        kind="category",
        unit="1",
        source=source,
        categories=categories,
        lookback_days=lookback_days,
    )


def _yes_no(name: str, label: str, source: str, lookback_days: int | None = None) -> FeatureDefinition:
    return FeatureDefinition(
        name=name, label=label, kind="yes-no", unit="1", source=source, lookback_days=lookback_days
    )


_DEFINITIONS = (
    FeatureDefinition(
        name="age", label="age", kind="number", unit="years", source="Patient.birthDate", low=0, high=120
    ),
    _category("sex", "sex", "Patient: US Core birth sex, else gender", "female", "male"),
    *(_measured(RULES[name]) for name in ("height", "weight", "bmi")),
    FeatureDefinition(
        name="asa_class",
        label="ASA class",
        kind="number",
        unit="1",
        source="Observation 97816-3, the latest in the window",
        low=1,
        high=5,
        lookback_days=ASA_DAYS,
    ),
    _category(
        "functional_status",
        "functional status",
        "Observation by the site's ConceptMap; NSQIP",
        "independent",
        "partially-dependent",
        "totally-dependent",
        lookback_days=FUNCTION_DAYS,
    ),
    *(_measured(RULES[name]) for name in ("creatinine", "egfr", "haemoglobin", "albumin", "platelets", "inr")),
    *(_measured(RULES[name]) for name in ("sodium", "glucose", "hba1c", "spo2")),
    _category(
        "smoking_status",
        "smoking status",
        "Observation 72166-2, else Condition F17.2, Z72.0, Z87.891",
        "never",
        "former",
        "current",
        lookback_days=SMOKING_DAYS,
    ),
    *(_yes_no(*row) for row in _YES_NO),
    _category(
        "sepsis",
        "sepsis",
        "Condition A40, A41, R65 and others, current and begun within 48 hours; NSQIP",
        "none",
        "sirs",
        "sepsis",
        "septic-shock",
    ),
    _category(
        "urgency",
        "urgency",
        "ServiceRequest.priority, occurrence and reason; Encounter.class",
        "elective",
        "urgent",
        "immediate",
    ),
    _category("procedure_group", "operation", "code of the order (procedure_groups.json)", *GROUPS),
)

# Later additions, in the order in which they came; the names above stay where the interface has them.
_QUAN = "Condition by the Charlson map of Quan 2005, current"
_LATER = (
    _category(
        "diabetes_treatment",
        "diabetes treatment",
        "diabetes and insulin together; GSCRI",
        "none",
        "without-insulin",
        "insulin",
    ),
    *(
        _yes_no(f"charlson_{name.replace(' ', '_')}", f"{name} (Charlson)", _QUAN)
        for name in (
            "heart failure",
            "dementia",
            "pulmonary disease",
            "rheumatic disease",
            "complicated diabetes",
            "paralysis",
            "kidney disease",
            "hiv",
        )
    ),
    _category("charlson_liver_disease", "liver disease (Charlson)", _QUAN, "none", "mild", "moderate-or-severe"),
    _category("charlson_malignancy", "malignancy (Charlson)", _QUAN, "none", "malignancy", "metastatic"),
    FeatureDefinition(
        name="hfrs_points",
        label="frailty points by diagnosis codes",
        kind="number",
        unit="1",
        source="Condition, three-character ICD-10 codes known in two years; Gilbert 2018",
        low=0,
        high=HFRS_MAXIMUM,
        lookback_days=HFRS_DAYS,
    ),
    _yes_no(
        "respiratory_infection", "respiratory infection", "Condition J00-J06, J09-J18, J20-J22 begun within 30 days"
    ),
    FeatureDefinition(
        name="planned_duration",
        label="planned duration of the operation",
        kind="number",
        unit="h",
        source="the order's occurrencePeriod, or the length of the Appointment",
        low=0,
        high=24,
    ),
    *map(_measured, FINDINGS.values()),
    _category(
        "lumbar_stenosis_grade",
        "lumbar stenosis",
        "Observation or DiagnosticReport.conclusionCode by the site's ConceptMap",
        "none",
        "mild",
        "moderate",
        "severe",
        lookback_days=IMAGING_DAYS,
    ),
    _yes_no("spondylolisthesis", "spondylolisthesis", "Condition M43.1, Q76.2, or DiagnosticReport.conclusionCode"),
    _yes_no("genetic_finding", "genetic finding", "Observation 69548-6; shown, never scored"),
    _yes_no(
        nausea.HISTORY,
        "earlier postoperative nausea or motion sickness",
        "Condition T75.3 and SNOMED CT, ever; else Observation by the site's ConceptMap. Unasked is not no",
        lookback_days=nausea.HISTORY_DAYS,
    ),
    _yes_no(
        nausea.PLAN,
        "opioids planned after the operation",
        "an opioid MedicationRequest among the session's drafts; else Observation by the site's ConceptMap",
        lookback_days=nausea.PLAN_DAYS,
    ),
)

# A measurement that has no place above comes last, in the order of its table.
FEATURES: dict[str, FeatureDefinition] = {
    definition.name: definition for definition in (*_DEFINITIONS, *_LATER, *map(_measured, RULES.values()))
}
