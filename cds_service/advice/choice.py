"""The options of one card: what can be acted on, what follows from a finding, missing inputs, the other rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cds_service.advice import blood_draw, catalogue, facts, options, value_of_information
from cds_service.advice.assessment import Assessment
from cds_service.advice.bands import BandLimits
from cds_service.advice.catalogue import GRADES, Catalogue
from cds_service.advice.facts import Facts
from cds_service.advice.options import Option, Policy, Ranked
from fhir_mappings.features import existing_tests
from fhir_mappings.orders import pending_orders
from fhir_mappings.orders.order_codes import OrderCodes
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.terminology.concept_maps import ConceptMaps

CATALOGUE = catalogue.load()


class Advising(msgspec.Struct, frozen=True, kw_only=True):
    """What one site lets a card suggest, in which codes its drafts come, and by which limits bands are told."""

    policy: Policy = Policy()
    codes: OrderCodes = OrderCodes()
    maps: ConceptMaps = ConceptMaps()
    limits: BandLimits = BandLimits()
    catalogue: Catalogue = CATALOGUE


class Chosen(msgspec.Struct, frozen=True):
    """What the card offers, and how many more hold, which stand behind its link (A-05).

    `opens`: a row that holds is on the short list of those that open a card by themselves (DEC-39).
    """

    options: tuple[Option, ...] = ()
    more: int = 0
    opens: bool = False


def for_patient(
    assessment: Assessment,
    record: PatientRecord,
    drafts: Sequence[msgspec.Raw],
    *,
    advising: Advising,
) -> Chosen:
    """The options of this patient's card. `drafts`: all of the ordering session, so that nothing is asked for twice."""
    session, chart = pending_orders.pending_in_drafts(drafts, maps=advising.maps), pending_orders.open_orders(record)
    known = facts.gather(assessment, existing_tests.read_existing_tests(record), session, chart)
    return choose(assessment, known, advising=advising)


def choose(assessment: Assessment, known: Facts, *, advising: Advising) -> Chosen:
    """What the card offers (DEC-33). A test that is offered hides the rows that repeat it."""
    policy = advising.policy
    asked = value_of_information.worth_asking(assessment, known, codes=advising.codes)
    rows = options.ranked(
        advising.catalogue,
        known,
        policy=policy,
        codes=advising.codes,
        contributions=_contributions(assessment),
        told_inputs=assessment.inputs,
    )
    first = [one for one in rows if _comes_before_what_is_missing(one)]
    ranked = _distinct((*first, *asked, *rows[len(first) :]))
    groups = blood_draw.gathered(ranked) if policy.one_draw else [(one,) for one in ranked]

    def told(one: Option | Ranked) -> Option:
        return (
            one if isinstance(one, Option) else options.worded_option(one, known, policy=policy, today=assessment.today)
        )

    shown = [blood_draw.together([told(one) for one in group]) for group in groups[: policy.maximum]]
    more = len(ranked) - sum(len(group) for group in groups[: policy.maximum])
    return Chosen(tuple(shown), more, any(one.row.opens for one in rows))


def _comes_before_what_is_missing(one: Ranked) -> bool:
    """Whether it can be acted on, or a guideline recommends it for what was found in this patient (DEC-33)."""
    return one.row.acts or (one.personal and one.grade == GRADES[0])


def _contributions(assessment: Assessment) -> dict[str, float]:
    if assessment.headline is None:
        return {}
    return {one.input: one.log_odds for one in assessment.headline.score.contributions}


def _distinct(ranked: Sequence[Option | Ranked]) -> list[Option | Ranked]:
    """Each order once. A second reason for one referral or plan is told without a button; a test repeats itself."""
    kept: list[Option | Ranked] = []
    orders: set[str] = set()
    for one in ranked:
        if one.order is None or one.order not in orders:
            kept.append(one)
        elif isinstance(one, Ranked) and one.row.kind not in ("test", "screen"):
            kept.append(msgspec.structs.replace(one, order=None))
        if one.order is not None:
            orders.add(one.order)
    return kept
