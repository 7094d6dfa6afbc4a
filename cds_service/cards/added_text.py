"""The figures of models that a site added and nobody validated here, each in one line of its own on a card."""

from __future__ import annotations

from cds_service.advice import number_text, site_models
from cds_service.advice.assessment import Assessment
from cds_service.cards import drivers, estimate_text
from fhir_mappings.features.features import label_of
from fhir_mappings.results.feature import Features
from models_onnx.added_model import AddedAnswer

_NAMED = 2


def wordings(assessment: Assessment) -> tuple[list[str], ...]:
    """One line for each model without a place among the other figures, from the longest wording to the shortest:

    with what its figure goes and on what a range hangs, without the former, without both; and how many there are.
    """
    speaking = {card.name for card, _ in site_models.speaking(assessment.added)}
    apart = [one for one in assessment.added if one.score.model not in speaking]
    forms = ((True, True), (False, True), (False, False))
    if not apart:
        return ([],)
    whole = ([_line(assessment, one, whys=whys, depending=depends) for one in apart] for whys, depends in forms)
    count = f"{len(apart)} figure{'s' if len(apart) > 1 else ''}, no room for {'them' if len(apart) > 1 else 'it'} here"
    return (*whole, [f"**{site_models.VALIDATED}:** {count}."])


def _line(assessment: Assessment, answer: AddedAnswer, *, whys: bool, depending: bool) -> str:
    origin = site_models.VALIDATED if site_models.is_validated(answer) else site_models.NOT_VALIDATED
    heading = answer.card.outcome.heading if answer.card is not None else answer.score.model
    moving = drivers.sides(drivers.of_added(assessment, answer)) if whys else []
    beside = f" ({'; '.join(moving)})" if moving else ""
    return f"**{origin}:** {heading} {figure(answer, assessment.features, depending=depending)}{beside}."


def figure(answer: AddedAnswer, features: Features, *, depending: bool = True) -> str:
    """ "12 in 100"; "5 to 31 in 100, depending on haemoglobin"; "not computed: the model was too slow"."""
    card, score = answer.card, answer.score
    if card is not None and score.probability is not None:
        return number_text.count_in(score.probability, card.outcome.denominator)
    if card is not None and score.missing_range is not None:
        told = estimate_text.between(score.missing_range, card.outcome.denominator)
        return f"{told}, depending on {_some(score.depends_on, features)}" if depending and score.depends_on else told
    return f"not computed: {_why_not(answer, features)}"


def _why_not(answer: AddedAnswer, features: Features) -> str:
    score = answer.score
    if score.status == "out-of-scope":
        return f"{(score.reason or '').removesuffix('-out-of-scope').replace('-', ' ')} is outside what it was made for"
    words = site_models.WHY_NONE.get(score.reason or "", "needs")
    return f"{words} {_some(score.needs, features)}".strip() if score.needs else words


def _some(names: tuple[str, ...], features: Features) -> str:
    labels = [label_of(name, features) for name in names]
    left = len(labels) - _NAMED
    return f"{', '.join(labels[:_NAMED])} and {left} more" if left > 0 else " and ".join(labels)
