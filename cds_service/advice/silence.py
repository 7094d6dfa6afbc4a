"""When to say nothing, each rule with its reason (R-B07); running out of time is not one of them (DEC-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from cds_service.advice.assessment import Assessment
from cds_service.tenants import speaking
from fhir_mappings.patient import demographics
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.feature import Features
from models_onnx.score import Score

Reason = Literal[
    "not-surgical",
    "selection-unresolved",
    "unmapped-procedure",
    "procedure-ambiguous",
    "out-of-scope",
    "not-elective",
    "non-clinician",
    "deceased",
    "below-floor",
    "dedupe",
    "answered",
    "kill-switch",
    "mode-silent",
    "mode-off",
    "mode-canary",
    "mode-hold-out",
    "validation-outdated",
    "required-input-missing",
    "data-unobtainable",
    "case-open",
]

# Why nothing is said, in words for a developer who asks; tenants in production are not told (R-B07).
WORDS: dict[Reason, str] = {
    "not-surgical": "None of the orders looked at is an operation.",
    "selection-unresolved": "None of the selections is among the draft orders.",
    "unmapped-procedure": "The order's code is in no procedure group, or the order has no code.",
    "procedure-ambiguous": "The order's codes name different procedure groups.",
    "out-of-scope": "The patient or the operation is outside the models' population (adults, not pregnant).",
    "not-elective": "The operation is urgent, for an injury, or less than 24 hours away.",
    "non-clinician": "The user is not a clinician.",
    "deceased": "The patient is recorded as deceased.",
    "below-floor": "No risk that is known reaches this tenant's floor, and no finding opens a card by itself.",
    "dedupe": "The same card was shown to this user a short while ago, and this tenant asked for it once.",
    "answered": "This card was accepted or dismissed, and nothing that it tells has changed since.",
    "kill-switch": "The service is switched off.",
    "mode-silent": "The service computes and records here, and shows nothing.",
    "mode-off": "The service is off for this hook or procedure group.",
    "mode-canary": "The user is not among those who are shown cards yet.",
    "mode-hold-out": "Nothing is shown of this patient: a share of patients is held out, to learn from (R-F07).",
    "validation-outdated": "What was accepted when cards were switched on has changed since: nothing is shown.",
    "required-input-missing": "The patient's age is not known, and no estimate is made without it.",
    "case-open": "An operation of this patient is under way; what is told before one does not hold while it runs.",
    "data-unobtainable": "Required data could not be had; this tenant asked for silence then.",
}
_ADULT_YEARS = 18


def for_user(user_id: str) -> Reason | None:
    """Patients and relatives are not shown estimates made for clinicians (R-A09)."""
    return "non-clinician" if user_id.partition("/")[0] in ("Patient", "RelatedPerson") else None


def for_patient(record: PatientRecord, features: Features) -> Reason | None:
    """Deceased, pregnant, a child, of unknown age, or an operation that is not elective."""
    if record.deceased:
        return "deceased"
    youngest = demographics.youngest(features["age"])  # one possible age below 18 is enough (inputs 3)
    if youngest is None:
        return "required-input-missing"
    if youngest < _ADULT_YEARS or record.pregnancy == "yes":
        return "out-of-scope"
    if features["urgency"].value != "elective":
        return "not-elective"
    return None


def for_scores(scores: Sequence[Score]) -> Reason | None:
    """No model covers this operation."""
    return "out-of-scope" if all(score.status == "out-of-scope" for score in scores) else None


def for_floor(assessment: Assessment, floors: Mapping[str, float], *, opened: bool = False) -> Reason | None:
    """No outcome reaches its floor, and no finding of the catalogue's short list opens the card (DEC-39).

    `floors`: by outcome; none, or 0 for all: always a card. A missing input and a routine test open nothing, they stand
    on a card that opens for another reason.
    """
    if opened or assessment.indicator == "warning" or not any(floors.values()):
        return None
    reached = any(
        speaking.reaches(one.spoken_of, floors[one.outcome.name], usual=one.usual, ratio=speaking.CARD_RATIO)
        for one in assessment.estimates
        if one.outcome.name in floors
    )
    return None if reached else "below-floor"
