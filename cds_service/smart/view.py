"""An opened profile as a page: outcomes, what is missing and could change them, every option with its evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec
from flask import Response

from cds_service.advice import blood_draw, number_text, outcomes
from cds_service.advice.assessment import Assessment, Estimate
from cds_service.advice.bands import band
from cds_service.advice.catalogue import Catalogue
from cds_service.advice.operation_attributes import Attribute, attributes
from cds_service.advice.options import Option
from cds_service.advice.silence import WORDS
from cds_service.cards import estimate_text
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import added_models, axis, layout
from cds_service.pages.models import REGULATORY
from cds_service.pages.words import BAND_WORDS, label
from cds_service.records.rows import EvaluationRow
from cds_service.smart import banner, described, side_by_side
from cds_service.smart.profile import Opened
from fhir_mappings.features import reasons
from models_onnx.missing_ranges import Unknown


class ShownEffect(msgspec.Struct, frozen=True):
    """How far one missing input could move one estimate, and from which band to which."""

    outcome: str
    between: str
    bands: str


class MissingInput(msgspec.Struct, frozen=True):
    """One missing input, why it is missing, and what knowing it could change; the greatest effect first."""

    name: str
    why: str
    effects: tuple[ShownEffect, ...]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One option with its evidence; `row` is its place on the evidence page, "" for a missing input."""

    consider: str
    reason: str
    evidence: str
    grade: str
    citation: str
    row: str
    on_card: bool
    part_of_estimate: bool


def page(opened: Opened, *, cases: str = "") -> Response:
    """The profile, or in plain words why there is no estimate. `cases`: where this patient's operations stand."""
    answered, site = opened.answered, opened.site
    told = answered.assessment if answered.silence is None else None
    shown = described.result_of(told, answered.record) if told else None
    of = shown.chart.denominator if shown and shown.chart else 1000
    return layout.html(
        "smart/profile.html",
        ancestors=" ".join(site.tenant.smart.frame_ancestors) or "'none'",
        assessment=told,
        result=shown,
        people=described.people(told, of) if told else (),
        headline=told.headline.outcome.heading if told and told.headline else "",
        banner=banner.of(answered.record.person) if told and answered.record else None,
        needs_banner=opened.needs_banner,
        person=_person(told) if told else "",
        planned=_planned(told) if told else "",
        read=told.inputs if told else (),
        missing=tuple(_missing(told, of)) if told else (),
        tables=side_by_side.tables(told, answered.record, opened.models, of) if told and answered.record else (),
        of=of,
        added=added_models.rows(told) if told else (),
        choices=tuple(_choices(opened)),
        card=answered.card,
        changed=_changed(told, opened.card) if told else "",
        silence=WORDS[answered.silence] if answered.silence else "",
        calibration=estimate_text.calibration(told).removesuffix(".") if told else "",
        intended_use=INTENDED_USE,
        regulatory=REGULATORY,
        cases=cases,
    )


def _numbered(opened: Opened) -> Iterator[tuple[int, Option]]:
    """Each with its place on the card, where blood tests share one."""
    told = opened.answered.options if opened.answered.silence is None else ()
    places = blood_draw.places(told)
    return ((places.get(option.id, len(told)), option) for option in told)


def _person(assessment: Assessment) -> str:
    """Age and sex, by which a reader sees whether it is the patient who is open: "72 years, female"."""
    age, sex = assessment.features["age"], assessment.features["sex"]
    told = f"{age.value:.0f} years" if isinstance(age.value, int | float) else "age not known"
    return f"{told}, {sex.value}" if isinstance(sex.value, str) else told


def _planned(assessment: Assessment) -> str:
    """The day of the operation, where the order has a whole one."""
    try:
        day = datetime.fromisoformat(assessment.procedure.occurrence)
    except ValueError:
        return ""
    return number_text.date(day if day.tzinfo else day.replace(tzinfo=assessment.zone), assessment.zone)


def _missing(assessment: Assessment, of: int) -> Iterator[MissingInput]:
    found: dict[str, list[tuple[float, ShownEffect]]] = {feature.name: [] for feature in assessment.unusable}
    for told in assessment.estimates:
        for unknown in told.unknown.unknown if told.unknown is not None else ():
            if (effect := _effect(assessment, told, unknown, of)) is not None:
                found.setdefault(unknown.input, []).append((unknown.spread, effect))
        if (points := told.score.points_range) is not None:
            heading = outcomes.heading(told.outcome.name, told.score.model)
            counted = ShownEffect(heading, f"{points.low:g} to {points.high:g} points", "")
            for name in told.score.depends_on:
                found.setdefault(name, []).append((0.0, counted))
    for name in sorted(found, key=lambda name: -max((spread for spread, _ in found[name]), default=0.0)):
        why = reasons.words(assessment.features[name])
        yield MissingInput(label(name, assessment.features), why, tuple(effect for _, effect in found[name]))


def _effect(assessment: Assessment, told: Estimate, unknown: Unknown, of: int) -> ShownEffect | None:
    """None where it would round to the same figure."""
    if axis.count(unknown.low, of) == axis.count(unknown.high, of):
        return None
    ends = (band(limit, told.peer, assessment.limits) for limit in (unknown.low, unknown.high))
    # Both ends, or nothing: "above usual" beside a range that begins below it would be read of the whole (DEC-38).
    bands = " to ".join(dict.fromkeys(BAND_WORDS[end] for end in ends if end is not None))
    return ShownEffect(told.outcome.heading, f"{axis.between(unknown.low, unknown.high, of)} in {of:,}", bands)


def _choices(opened: Opened) -> Iterator[Choice]:
    told, advising = opened.answered.assessment, opened.site.advising
    operation = attributes(told.procedure.group) if told else frozenset[Attribute]()
    for place, option in _numbered(opened):
        yield _choice(option, operation, advising.catalogue, on_card=place < advising.policy.maximum)


def _choice(option: Option, operation: Collection[Attribute], catalogue: Catalogue, *, on_card: bool) -> Choice:
    row = next((one for one in catalogue.rows if one.id == option.id), None)
    proof = row.proof(operation) if row else None
    return Choice(
        consider=option.consider,
        reason=_sentence(option.reason),
        evidence=option.evidence or (proof.evidence if proof else ""),
        grade=proof.grade if proof else "",
        citation=proof.citation if proof else "",
        row=row.id if row else "",
        on_card=on_card,
        part_of_estimate=option.could_change_estimate,
    )


def _sentence(text: str) -> str:
    """With a capital at its beginning, but for words such as eGFR that have theirs inside."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def _changed(assessment: Assessment, card: EvaluationRow | None) -> str:
    """What the card said, where the headline is another one now; data may have changed in between."""
    headline = assessment.headline
    if card is None or card.probability is None or card.outcome is None or headline is None:
        return ""
    denominator = headline.outcome.denominator
    same = [one.score.probability for one in assessment.estimates if one.outcome.name == card.outcome]
    told = {number_text.percent(now, denominator) for now in same if now is not None}
    if number_text.percent(card.probability, denominator) in told:
        return ""
    then = number_text.minute(card.received_at, assessment.zone)
    return f"The card of {then} told {number_text.percent(card.probability, denominator)}; the data have changed since."
