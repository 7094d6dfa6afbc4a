"""From a patient record and a planned procedure to every feature: one value each, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Raw
from msgspec.structs import replace

from fhir_mappings.features import nausea
from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.features.urgency import planned_duration, urgency
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.patient import (
    comorbidity_burden,
    demographics,
    findings,
    medications,
    past_procedures,
    questionnaire_answers,
)
from fhir_mappings.patient.diagnosis_features import CURRENT_ONLY, LIFELONG, cancer, diabetes_treatment, present, sepsis
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.feature import Feature, FeatureDefinition, Features
from fhir_mappings.results.finding_rules import FINDINGS
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.results.measurements import body_mass_index, filtration_rate, measured, measurement

__all__ = ["FEATURES", "FeatureDefinition", "derive"]


def derive(record: PatientRecord, procedure: PlannedProcedure, drafts: Sequence[Raw] = ()) -> Features:
    """Every feature of FEATURES, in its order, for this patient and this operation; then those that the site added.

    `drafts`: what else is being ordered in the same session.
    """
    found: Features = {}
    for part in (_person(record), _answers(record), _diagnoses(record), _medicines(record), _past(record, procedure)):
        found.update(part)
    found.update(_measurements(record, found))
    found.update(_findings(record))
    found["diabetes_treatment"] = diabetes_treatment(found["diabetes"], found["insulin"])
    found["planned_duration"] = planned_duration(procedure)
    found[nausea.HISTORY] = nausea.history(record)
    found[nausea.PLAN] = nausea.opioid_planned(record, drafts)
    found["urgency"] = urgency(procedure, record.emergency_encounter, record.clock)
    found["procedure_group"] = _group(procedure)
    return {name: found[name] for name in FEATURES} | _added(record)


def _person(record: PatientRecord) -> Features:
    failure = record.seen("patient").gap
    return {
        "age": demographics.age(record.person, failure, record.clock),
        "sex": demographics.sex(record.person, failure),
    }


def _answers(record: PatientRecord) -> Features:
    recorded, words, now = record.recorded, record.words, record.clock
    seen = record.seen("observations")
    return {
        "asa_class": questionnaire_answers.asa_class(recorded, words, seen, now),
        "functional_status": questionnaire_answers.functional_status(recorded, words, seen, now),
        "smoking_status": questionnaire_answers.smoking_status(recorded, words, seen, now, record.diagnoses),
    }


def _diagnoses(record: PatientRecord) -> Features:
    known, seen, now = record.diagnoses, record.seen("conditions"), record.clock
    found = {name: present(name, idea, known, seen) for name, idea in CURRENT_ONLY.items()}
    found |= {name: present(name, idea, known, seen, history=True) for name, idea in LIFELONG.items()}
    found["cancer"] = cancer(known, seen, now)
    found["sepsis"] = sepsis(known, seen, now)
    found["hfrs_points"] = comorbidity_burden.frailty_points(known, seen, now)
    found["respiratory_infection"] = comorbidity_burden.respiratory_infection(known, seen, now)
    return found | comorbidity_burden.charlson(known, seen)


def label_of(name: str, found: Features) -> str:
    """An input as a clinician calls it, a value that the site added as the site does; else its name in words."""
    own = found[name].definition if name in found else None
    definition = own or FEATURES.get(name)
    return definition.label if definition is not None else name.replace("_", " ")


def _medicines(record: PatientRecord) -> Features:
    taken, seen, diagnosed = record.medications, record.seen("medications"), record.seen("conditions")
    known = record.diagnoses
    found = {
        name: medications.in_use(name, taken, known, seen, known.seen(diagnosed, idea, current=True))
        for name, (_, idea) in medications.INPUTS.items()
    }
    hypertension = present("hypertension_on_medication", "hypertension", known, diagnosed)
    treated = medications.on_antihypertensive(taken, seen)
    found["hypertension_on_medication"] = medications.hypertension_on_medication(hypertension, treated)
    return found


def _past(record: PatientRecord, procedure: PlannedProcedure) -> Features:
    past, diagnoses = record.procedures, record.diagnoses
    done_seen, known_seen = record.seen("procedures"), record.seen("conditions")
    return {
        "dialysis": past_procedures.dialysis(
            past, diagnoses, procedures_seen=done_seen, diagnoses_seen=known_seen, now=record.clock
        ),
        "previous_spine_surgery": past_procedures.previous_spine_surgery(
            past, diagnoses, procedures_seen=done_seen, diagnoses_seen=known_seen, planned=procedure.order
        ),
    }


def _measurements(record: PatientRecord, found: Features) -> Features:
    """Every measurement; laboratory results under the key "labs", vital signs under "observations"."""
    laboratory, vital_signs = record.seen("labs"), record.seen("observations")
    measured = {
        name: measurement(name, record.recorded, laboratory if rule.laboratory else vital_signs, record.clock)
        for name, rule in RULES.items()
    }
    measured["bmi"] = body_mass_index(measured["bmi"], measured["height"], measured["weight"], record.clock)
    measured["egfr"] = filtration_rate(
        measured["creatinine"], found["age"], found["sex"], measured["egfr"], found["dialysis"]
    )
    return measured


def _added(record: PatientRecord) -> Features:
    """What the site added, each with its own definition: shown, asked by its rows, read by models of its own alone."""
    seen = record.seen("labs")
    return {
        one.rule.name: replace(measured(one.rule, record.recorded, seen, record.clock), definition=one.definition)
        for one in record.inputs
    }


def _findings(record: PatientRecord) -> Features:
    """What is shown and not scored yet: patient-reported outcomes, imaging, genetics."""
    recorded, words, now, seen = record.recorded, record.words, record.clock, record.seen("observations")
    found = {name: measurement(name, recorded, seen, now) for name in FINDINGS}
    graded, diagnosed = record.reports_beside("observations"), record.reports_beside("conditions")
    found["lumbar_stenosis_grade"] = findings.stenosis_grade(recorded, record.conclusions, words, graded, now)
    found["spondylolisthesis"] = findings.spondylolisthesis(record.diagnoses, record.conclusions, diagnosed)
    found["genetic_finding"] = findings.genetic_finding(recorded, words, seen, now)
    return found


def _group(procedure: PlannedProcedure) -> Feature:
    return Feature(
        name="procedure_group",
        status="used",
        value=procedure.group,
        model_value=procedure.group,
        source=procedure.order,
    )
