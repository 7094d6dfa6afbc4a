"""The model pages: what each model is for, what it reads, how well it does, and where it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from flask import Blueprint, Response, abort, request

from cds_service.advice.outcomes import BY_NAME, OUTCOMES
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import attributes, evaluations, irm, layout, local_results, model_summary
from cds_service.tenants.tenant import Tenant
from fhir_mappings.terminology.procedure_groups import GROUPS
from models_onnx.added_card import AddedCard
from models_onnx.documents import chai, source_attributes, tripod
from models_onnx.model_card import ModelCard
from models_onnx.recalibration import BySha256
from models_onnx.registry import Registry

REGULATORY = "Intended to meet section 520(o)(1)(E) of the FD&C Act; not reviewed by the FDA."
TOPICS = (
    ("SurgRisk", "Surgery risk", "A risk estimate for a planned operation."),
    ("SurgRiskSpine", "Spine surgery risk", "A risk estimate for a planned operation of the spine."),
)
KINDS = {"A": "Published equation", "B": "Published equation, one public source", "fitted": "Fitted on real operations"}


STATES = {"champion": "Told to clinicians", "challenger": "Scored in silence: recorded, never told"}
Local = Callable[[ModelCard], Mapping[str, str]]


def blueprint(
    registry: Callable[[], Registry],
    tenants: Iterable[Tenant] = (),
    recalibrations: Callable[[], Mapping[str, BySha256]] = dict,
    added: Callable[[], Sequence[AddedCard]] = tuple,
) -> Blueprint:
    """`/models`, `/models/{outcome}`, `/irm` and `/codes/topic`; `registry` gives the models served at that moment,
    `added` the cards of those that the site added (added_models.py has their pages).

    Under `/sites/{word}` the same outcome with one hospital's own results, and nothing else of that hospital (DEC-26).
    """
    pages = Blueprint("models", __name__)
    local = local_results.by_word(tenants)

    @pages.get("/models", strict_slashes=False)
    def index() -> Response:
        served = registry()
        by_outcome = _by_outcome(served)
        if layout.wants_json():
            listed = [_listed(card, served) for cards in by_outcome.values() for card in cards]
            return _json({"models": listed, "added": [_listed_added(card) for card in added()]})
        return layout.html(
            "models.html",
            cached=True,
            by_outcome=by_outcome,
            outcomes=BY_NAME,
            intended_use=INTENDED_USE,
            kinds=KINDS,
            state=lambda card: served.states[card.name, card.version],
            added=added(),
        )

    @pages.get("/models/<outcome>")
    def page(outcome: str) -> Response:
        return _outcome(outcome, registry(), None)

    @pages.get("/sites/<word>/models/<outcome>")
    def local_page(word: str, outcome: str) -> Response:
        tenant = local[word] if word in local else abort(404)
        by = recalibrations().get(tenant.id, {})
        return _outcome(outcome, registry(), lambda card: local_results.of_model(tenant, by.get(card.sha256)))

    @pages.get("/models/<outcome>/<name>.xml")
    def chai_card(outcome: str, name: str) -> Response:
        served = registry()
        found = [card for card in served.cards if (card.outcome, card.name) == (outcome, name)]
        card = found[0] if found else abort(404)
        xml = chai.model_card_xml(card, evaluations.as_told(card, served.directory))
        return Response(xml, mimetype="application/xml", headers={"Cache-Control": "public, max-age=300"})

    @pages.get("/irm")
    def risk_management() -> Response:
        summary = irm.SUMMARY
        if layout.wants_json():
            return _json(msgspec.to_builtins(summary))
        return layout.html("irm.html", cached=True, summary=summary, intended_use=INTENDED_USE, regulatory=REGULATORY)

    @pages.get("/codes/topic")
    def topics() -> Response:
        if layout.wants_json():
            return _json({"topics": [{"code": code, "display": display} for code, display, _ in TOPICS]})
        return layout.html("topics.html", cached=True, topics=TOPICS)

    return pages


def _outcome(outcome: str, served: Registry, local: Local | None) -> Response:
    """The models of one outcome; `local` replaces the attributes that a hospital tells of itself."""
    own: Local = local or (lambda _: {})
    cards = _by_outcome(served).get(outcome) or abort(404)
    if layout.wants_json():
        models = [_told(card, served, own(card)) for card in cards]
        return _json({"outcome": outcome, "intendedUse": INTENDED_USE, "models": models})
    return layout.html(
        "model.html",
        cached=True,
        outcome=outcome,
        heading=_heading(outcome),
        models=[
            (
                card,
                attributes.answers(_attributes(card, served, own(card))),
                evaluations.of(card, served.directory),
                _tripod(card, served),
                model_summary.how_good(card, served),
            )
            for card in cards
        ],
        state=lambda card: STATES[served.states[card.name, card.version]],
        assumed=_assumed,
        local=local is not None,
        intended_use=INTENDED_USE,
        regulatory=REGULATORY,
        kinds=KINDS,
    )


def _assumed(card: ModelCard) -> dict[str, str]:
    """What is assumed of an operation that this model grades, where the order's code says less than it asks."""
    told_already = {*card.scope.operations_outside, *card.scope.operations_not_graded}
    if card.operation_input is None:
        return {}
    return {one.label: one.assumption for one in GROUPS.values() if one.assumption and one.name not in told_already}


def _told(card: ModelCard, served: Registry, local: Mapping[str, str]) -> dict[str, Any]:
    """The card as JSON, with all 31 attributes, none empty (H-01)."""
    return {
        **msgspec.to_builtins(card),
        "state": served.states[card.name, card.version],
        "attributes": attributes.complete(_attributes(card, served, local)),
        "tripodAi": msgspec.to_builtins(_tripod(card, served)),
        "evaluation": evaluations.as_told(card, served.directory),
    }


def _attributes(card: ModelCard, served: Registry, local: Mapping[str, str]) -> dict[str, str]:
    return {**source_attributes.attributes(card, evaluations.as_told(card, served.directory)), **local}


def _tripod(card: ModelCard, served: Registry) -> tuple[tripod.Item, ...]:
    return tripod.items(card, _attributes(card, served, {}), evaluations.as_told(card, served.directory))


def _listed(card: ModelCard, served: Registry) -> dict[str, Any]:
    return {
        "outcome": card.outcome,
        "model": card.name,
        "version": card.version,
        "title": card.title,
        "state": served.states[card.name, card.version],
        "kind": card.kind,
        "horizon": card.horizon,
        "sha256": card.sha256,
        "url": f"{request.script_root}/models/{card.outcome}",
    }


def _listed_added(card: AddedCard) -> dict[str, Any]:
    return {
        "outcome": card.outcome.name,
        "model": card.name,
        "version": card.version,
        "title": card.title,
        "horizon": card.outcome.horizon,
        "validated": card.validation is not None,
        "url": f"{request.script_root}/models/added/{card.name}",
    }


def _by_outcome(served: Registry) -> dict[str, list[ModelCard]]:
    """Outcomes in the order in which a card tells them; in each, the model that is told first stands first."""
    names = dict.fromkeys([*(outcome.name for outcome in OUTCOMES), *(card.outcome for card in served.cards)])
    found = {name: [card for card in served.cards if card.outcome == name] for name in names}
    return {name: sorted(group, key=lambda card: _place(card, served)) for name, group in found.items() if group}


def _place(card: ModelCard, served: Registry) -> int:
    preferred = served.preferred.get(card.outcome, ())
    return preferred.index(card.name) if card.name in preferred else len(preferred)


def _heading(outcome: str) -> str:
    return BY_NAME[outcome].heading if outcome in BY_NAME else outcome.replace("-", " ").capitalize()


def _json(body: Any) -> Response:
    response = Response(msgspec.json.encode(body), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Vary"] = "Accept"
    return response
