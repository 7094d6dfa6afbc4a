"""The page of a model that a site added: whose it is, what it reads, and how its figure is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from flask import Blueprint, Response, abort

from cds_service.advice import site_models
from cds_service.advice.assessment import Assessment
from cds_service.cards import added_text
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import layout
from cds_service.pages.words import label, labelled
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.results.feature import Features
from models_onnx.added_card import MOST_ROWS, AddedCard, AddedInput
from models_onnx.added_model import AddedAnswer, AddedModel, AddedModels

METHODS = {
    "additive": "Exact: the graph is additive in log-odds, which was tried when it was added.",
    "shapley": "Shapley values: what each input changes, as the mean over the orders in which the people of the"
    " background become this patient. They add up to the difference from the background's mean.",
    "occlusion": "Occlusion: what changes when one input alone is put back to the background's. They do not add up.",
    "none": "It is not told apart: nothing says which input moves the figure.",
}
CHALLENGER = "A challenger of this site: scored and recorded, told to nobody"
SAMPLED = "Not every order was asked: the values are estimates, the same at each asking."


class AddedPart(msgspec.Struct, frozen=True):
    """One input of a figure, and by how much it moves the odds."""

    input: str
    odds: str


class AddedRow(msgspec.Struct, frozen=True, kw_only=True):
    """The figure of a site's own model for one patient."""

    name: str
    heading: str
    title: str
    version: str
    origin: str
    figure: str
    method: str
    background: str
    parts: tuple[AddedPart, ...]


def blueprint(added: Callable[[], AddedModels], labels: Mapping[str, str]) -> Blueprint:
    """`/models/added/{name}`; nothing of any patient, and no tenant is named.

    `labels`: what the sites call the laboratory values that they added.
    """
    pages = Blueprint("added-models", __name__)

    @pages.get("/models/added/<name>")
    def page(name: str) -> Response:
        model = added().by_name.get(name) or abort(404)
        if layout.wants_json():
            response = Response(msgspec.json.encode(_told(model)), mimetype="application/json")
            response.headers["Vary"] = "Accept"
            return response
        return layout.html(
            "added_model.html",
            card=model.card,
            sha256=model.sha256,
            origin=origin(model.card),
            method=METHODS[model.card.contributions.method],
            possible=_possible,
            called=lambda name: labelled(name, labels.get(name, "")),
            most_rows=MOST_ROWS,
            intended_use=INTENDED_USE,
        )

    return pages


def labels(sites: Iterable[TenantRuntime]) -> dict[str, str]:
    """What the sites call the laboratory values that they added; no site is named."""
    return {one.rule.name: one.rule.label for site in sites for one in site.own.inputs}


def origin(card: AddedCard) -> str:
    """Whether it is told at all, and whether a validation report stands behind it."""
    if card.challenger:
        return CHALLENGER
    return site_models.VALIDATED if card.validation is not None else site_models.NOT_VALIDATED


def rows(assessment: Assessment) -> tuple[AddedRow, ...]:
    """What each model of the site says of this patient, for the risk profile."""
    return tuple(_row(one, assessment.features) for one in assessment.added)


def _row(answer: AddedAnswer, features: Features) -> AddedRow:
    card, score = answer.card, answer.score
    told = card.contributions if card is not None else None
    parts = sorted(score.contributions, key=lambda one: -abs(one.log_odds))
    factors = ((one.input, f"{2.718281828459045**one.log_odds:.2f}") for one in parts)
    method = METHODS[told.method] if told is not None and parts else ""
    return AddedRow(
        name=score.model if card is not None else "",
        heading=card.outcome.heading if card is not None else score.model,
        title=card.title if card is not None else "",
        version=score.version,
        origin=origin(card) if card is not None else site_models.NOT_VALIDATED,
        figure=added_text.figure(answer, features),
        method=f"{method} {SAMPLED}" if answer.sampled else method,
        background=told.background_words if told is not None and parts else "",
        parts=tuple(AddedPart(label(name, features), factor) for name, factor in factors if factor != "1.00"),
    )


def _possible(entry: AddedInput) -> str:
    """What a missing one is taken to be, in words."""
    if entry.kind == "yes-no":
        return "yes or no"
    return ", ".join(f"{one:g}" if isinstance(one, int | float) else one.replace("-", " ") for one in entry.possible)


def _told(model: AddedModel) -> dict[str, Any]:
    card = model.card
    told: dict[str, Any] = msgspec.to_builtins(card)
    return {
        **told,
        "sha256": model.sha256,
        "origin": origin(card),
        "contributionsInWords": METHODS[card.contributions.method],
        "intendedUse": INTENDED_USE,
    }
