"""An Assessment becomes one card in this EHR's dialect: the answer first, at most one per response (DEC-19)."""

from __future__ import annotations

import msgspec

from cds_service.advice import number_text
from cds_service.advice.assessment import Assessment
from cds_service.advice.choice import Chosen
from cds_service.cards import chart, detail, dialects, discrete, estimate_text, suggestions
from cds_service.cards.dialects import DIALECTS, Dialect
from cds_service.cards.suggestions import Ordering, Session
from cds_service.hooks.card import Card, CardCoding, Link, Source, Suggestion
from cds_service.hooks.context import InsteadOf
from cds_service.trust import time_ordered_id
from fhir_mappings.orders.draft_orders import Intent
from fhir_mappings.orders.order_codes import OrderCodes
from fhir_mappings.orders.procedures import PlannedProcedure

EXTENSION = "io.surgical-risk.assessment"
SUMMARY_LIMIT = 140
MOST_SUGGESTIONS = 3
MOST_WORDS = 90  # of summary and detail together, options apart
NOTHING_CHOSEN = Chosen()
GAP = (
    "The request holds no usable birth date, and no estimate is made without an age. The risk was not judged: this is"
    " not a low one."
)
_NON_ADHERENCE = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"

# HL7 non-adherence reason codes (R-B14), with displays a clinician understands on a risk card.
OVERRIDE_REASONS = (
    CardCoding(code="risk-benefit-ratio", system=_NON_ADHERENCE, display="Expected benefit outweighs the risk"),
    CardCoding(code="action-completed", system=_NON_ADHERENCE, display="Risk already assessed and discussed"),
    CardCoding(code="patient-ineligible", system=_NON_ADHERENCE, display="Does not fit this patient or operation"),
    CardCoding(code="prefers-alternative", system=_NON_ADHERENCE, display="Another way is preferred"),
    CardCoding(code="wrong-time-workflow", system=_NON_ADHERENCE, display="Wrong time in the workflow"),
    CardCoding(code="recipient-does-not-trust", system=_NON_ADHERENCE, display="I do not trust this estimate"),
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where this tenant's clients find the service, how its EHR shows cards, and how its orders are coded.

    `local_pages`: the opaque word of its own model pages. `launch_url`: the SMART risk profile, where the EHR has
    registered it. `save_to_chart`: its EHR takes a RiskAssessment, and the tenant wants the option (R-C05).
    """

    public_url: str
    local_pages: str = ""
    discrete_result: bool = True
    dialect: Dialect = DIALECTS["generic"]
    codes: OrderCodes = OrderCodes()
    intent: Intent = "proposal"
    save_to_chart: bool = False
    launch_url: str | None = None


def write(assessment: Assessment, place: Place, *, session: Session, chosen: Chosen = NOTHING_CHOSEN) -> Card:
    """The card of this assessment with these options; at most three have a button, saving included (R-B13).

    An option without a button stands in the text; how many more hold stands there too.
    """
    ordering = Ordering(codes=place.codes, dialect=place.dialect, intent=place.intent)
    divided = suggestions.as_ordered(chosen.options, ordering)
    told = divided[: len(chosen.options)]
    can_be_ordered = [option for option in told if suggestions.with_button(option, ordering)]
    result, card_uuid = discrete.of(assessment), time_ordered_id.draw()
    most = MOST_SUGGESTIONS - place.save_to_chart
    offered = suggestions.write(can_be_ordered[:most], session, ordering=ordering, card_uuid=card_uuid)
    as_text = [option for option in told if option not in can_be_ordered[: len(offered)]]
    links, title = _links(assessment, place), summary(assessment)
    card = Card(
        uuid=card_uuid,
        summary=title,
        indicator=assessment.indicator,
        source=_source(assessment.procedure, _told(assessment), place),
        detail=detail.write(
            assessment,
            as_text,
            limit=place.dialect.detail_limit,
            most_words=MOST_WORDS - number_text.words(title),
            more=chosen.more + len(divided) - len(told),
            behind_link=place.dialect.smart_links and len(links) > 1,
            instead_of=session.instead_of,
        ),
        suggestions=(*offered, *_saving(result, session, place, card_uuid)),
        override_reasons=OVERRIDE_REASONS,
        links=links,
        extension={EXTENSION: result} if place.discrete_result else None,
    )
    return dialects.adapt(card, place.dialect)


def for_gap(procedure: PlannedProcedure, place: Place, *, instead_of: InsteadOf | None = None) -> Card:
    """The card of a tenant that wants to be told when no number can be made: without an age there is none (DEC-03)."""
    card = Card(
        uuid=time_ordered_id.draw(),
        summary=_within_limit(f"Risk of {procedure.label} not computable: the patient's age is not known"),
        indicator="info",
        source=_source(procedure, "30-day-death", place),
        detail=detail.with_about(instead_of, GAP),
        override_reasons=OVERRIDE_REASONS,
    )
    return dialects.adapt(card, place.dialect)


def _saving(result: discrete.Result, session: Session, place: Place, card_uuid: str) -> tuple[Suggestion, ...]:
    if not place.save_to_chart:
        return ()
    owner, as_json = chart.Owner(session.patient_id, session.encounter_id), msgspec.to_builtins(result)
    return (chart.save_suggestion(as_json, owner, public_url=place.public_url, card_uuid=card_uuid),)


def summary(assessment: Assessment) -> str:
    """One sentence of fewer than 140 characters with the number in it, or what the number lacks."""
    procedure = assessment.procedure.label
    leading = estimate_text.leading(assessment)
    if leading is None:
        lacking = next((e for e in assessment.estimates if e.score.status == "not-computable"), None)
        of = estimate_text.denominator(assessment)
        why = f": {estimate_text.why_not(lacking, assessment.features, of)}" if lacking else ""
        return _within_limit(f"Risk of {procedure} not computable", why)
    words = leading.outcome.words
    figure, depends, usual = estimate_text.headline(assessment, leading)
    gaps = "" if depends else _gaps(len(assessment.unusable))
    return _within_limit(f"{words[:1].upper()}{words[1:]} after {procedure}: {figure}", depends, usual, gaps)


def _gaps(missing: int) -> str:
    return f"; {missing} input{'s' if missing > 1 else ''} missing" if missing else ""


def _within_limit(answer: str, *additions: str) -> str:
    """The answer with as many additions as fit."""
    for addition in additions:
        if len(answer) + len(addition) < SUMMARY_LIMIT:
            answer += addition
    return answer[: SUMMARY_LIMIT - 1]


def _links(assessment: Assessment, place: Place) -> tuple[Link, ...]:
    """At most two (R-B13): how it is made, and the risk profile where it is registered."""
    page = Link(label="How this estimate is made", url=_model_page(_told(assessment), place), type="absolute")
    if place.launch_url is None:
        return (page,)
    # The id of the assessment is opaque and names nobody (R-D14).
    profile = Link(
        label="Open the risk profile", url=place.launch_url, type="smart", app_context=assessment.assessment_id
    )
    return (page, profile)


def _told(assessment: Assessment) -> str:
    """Whose page explains the card: the outcome's, or that of the site's own model which heads it."""
    told = estimate_text.leading(assessment) or assessment.estimates[0]
    is_added = any(told.score is one.score for one in assessment.added)
    return f"added/{told.score.model}" if is_added else told.outcome.name


def _model_page(outcome: str, place: Place) -> str:
    """Without login and without the patient; with the hospital's own results where it has pages of its own (DEC-26)."""
    site = f"/sites/{place.local_pages}" if place.local_pages and not outcome.startswith("added/") else ""
    return f"{place.public_url.rstrip('/')}{site}/models/{outcome}"


def _source(procedure: PlannedProcedure, outcome: str, place: Place) -> Source:
    spine = procedure.group.startswith("spine")
    return Source(
        label="Surgical risk service",
        url=_model_page(outcome, place),
        topic=CardCoding(
            code="SurgRiskSpine" if spine else "SurgRisk",
            system=f"{place.public_url.rstrip('/')}/codes/topic",
            display="Spine surgery risk" if spine else "Surgery risk",
        ),
    )
