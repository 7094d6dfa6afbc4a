"""An Assessment becomes one card: the answer first, at most one per response (DEC-19)."""

from __future__ import annotations

import uuid

import msgspec

from cds_service.advice import detail, discrete, wording
from cds_service.advice.assessment import Assessment, Estimate
from cds_service.hooks.card import Card, Coding, Link, Source

EXTENSION = "io.surgical-risk.assessment"
SUMMARY_LIMIT = 140
_NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

# HL7 non-adherence reason codes (R-B14), with displays a clinician understands on a risk card.
OVERRIDE_REASONS = (
    Coding(code="risk-benefit-ratio", system=_NON_ADHERENCE, display="Expected benefit outweighs the risk"),
    Coding(code="action-completed", system=_NON_ADHERENCE, display="Risk already assessed and discussed"),
    Coding(code="patient-ineligible", system=_NON_ADHERENCE, display="Does not fit this patient or operation"),
    Coding(code="wrong-time-workflow", system=_NON_ADHERENCE, display="Wrong time in the workflow"),
    Coding(code="recipient-does-not-trust", system=_NON_ADHERENCE, display="I do not trust this estimate"),
)


class Place(msgspec.Struct, frozen=True):
    """Where this tenant's clients find the service, and what of the result they may be sent."""

    public_url: str
    discrete_result: bool


def write(assessment: Assessment, place: Place) -> Card:
    """The card of this assessment."""
    extension = {EXTENSION: discrete.result(assessment)} if place.discrete_result else None
    return Card(
        uuid=str(uuid.uuid4()),
        summary=summary(assessment),
        indicator=assessment.indicator,
        source=_source(assessment, place.public_url),
        detail=detail.write(assessment),
        override_reasons=OVERRIDE_REASONS,
        links=(
            Link(label="How this estimate is made", url=_model_page(assessment, place.public_url), type="absolute"),
        ),
        extension=extension,
    )


def summary(assessment: Assessment) -> str:
    """One sentence of fewer than 140 characters with the number in it, or what the number lacks."""
    procedure = assessment.procedure.label
    headline = assessment.headline
    if headline is None:
        lacking = next((e for e in assessment.estimates if e.score.status == "not-computable"), None)
        needs = f": needs {detail.needs(lacking.score.needs)}" if lacking else ""
        return _within_limit(f"Risk of {procedure} not computable", needs)
    probability, outcome = headline.score.probability or 0.0, headline.outcome
    answer = f"{outcome.words[:1].upper()}{outcome.words[1:]} after {procedure}: "
    answer += wording.frequency(probability, outcome.denominator)
    return _within_limit(answer, _comparison(headline), _gaps(len(assessment.unusable)))


def _comparison(headline: Estimate) -> str:
    if headline.band is None:
        return ""
    if headline.band == "typical":
        return ", as is typical for this operation"
    return f", {detail.BANDS[headline.band]} for this operation"


def _gaps(missing: int) -> str:
    return f"; {missing} input{'s' if missing > 1 else ''} missing" if missing else ""


def _within_limit(answer: str, *additions: str) -> str:
    """The answer with as many additions as fit."""
    for addition in additions:
        if len(answer) + len(addition) < SUMMARY_LIMIT:
            answer += addition
    return answer[: SUMMARY_LIMIT - 1]


def _model_page(assessment: Assessment, public_url: str) -> str:
    told = assessment.headline or assessment.estimates[0]
    return f"{public_url.rstrip('/')}/models/{told.outcome.name}"


def _source(assessment: Assessment, public_url: str) -> Source:
    spine = assessment.procedure.group.startswith("spine")
    return Source(
        label="Surgical risk service",
        url=_model_page(assessment, public_url),
        topic=Coding(
            code="SurgRiskSpine" if spine else "SurgRisk",
            system=f"{public_url.rstrip('/')}/codes/topic",
            display="Spine surgery risk" if spine else "Surgery risk",
        ),
    )
