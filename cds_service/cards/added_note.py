"""What stands behind a prediction of a site's own model, as data for integrators."""

from __future__ import annotations

import msgspec

from cds_service.advice import site_models
from models_onnx.added_model import AddedAnswer


class AddedBySite(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """Whose model it is, and how its contributions were found.

    `sampled`: Shapley values of some orders of the inputs, not of all. `report`: the sha256 of the validation report.
    """

    heading: str
    denominator: int
    title: str = ""
    method: str = "none"
    background: str = ""
    sampled: bool = False
    validated: bool = False
    report: str = ""


def of(answer: AddedAnswer) -> AddedBySite:
    """The note of an answer; of a model that was removed there is its name."""
    card = answer.card
    if card is None:
        return AddedBySite(heading=answer.score.model, denominator=100)
    return AddedBySite(
        heading=card.outcome.heading,
        denominator=card.outcome.denominator,
        title=card.title,
        method=card.contributions.method,
        background=card.contributions.background_words,
        sampled=answer.sampled,
        validated=site_models.is_validated(answer),
        report=card.validation.sha256 if card.validation is not None else "",
    )
