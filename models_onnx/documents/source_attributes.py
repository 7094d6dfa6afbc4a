"""The 31 source attributes of a predictive decision-support intervention, 45 CFR 170.315(b)(11), for one model.

Own words for each attribute: docs/decisions/cards.md, H-01. None is ever empty; what does not exist is told as
"not available" with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models_onnx.model_card import ModelCard

# The nine demographic items of the rule, and the input by which a model would use each.
DEMOGRAPHIC_ITEMS = {
    "race": None,
    "ethnicity": None,
    "language": None,
    "sexual orientation": None,
    "gender identity": None,
    "sex": "sex",
    "date of birth": "age",
    "social determinants of health": None,
    "health status assessments": "functional_status",
}
NOT_AT_THIS_SITE = "not yet evaluated at this site"
Evaluation = Mapping[str, Any]


def attributes(card: ModelCard, evaluation: Evaluation | None = None) -> dict[str, str]:
    """All 31 attributes by key, from the card and, for a fitted model, its evaluation (evaluation.json)."""
    return {
        **_details_and_purpose(card),
        **_cautions_and_development(card, evaluation),
        **_fairness_and_external(card),
        **_performance(card, evaluation),
        **_maintenance(),
    }


def _missing(why: str) -> str:
    return f"not available: {why}"


def _details_and_purpose(card: ModelCard) -> dict[str, str]:
    value = "a number of points" if card.kind == "points" else "a probability from 0 to 1"
    interval = ", with a 90 % interval of the estimate" if card.trust == "fitted" else ""
    return {
        "details.developer": f"The surgical-risk project; equation: {card.citations[0]}",
        "details.funding": "No outside funding of this implementation.",
        "details.output_value": f"{value}{interval}: {card.outcome_definition} Horizon: {card.horizon}.",
        "details.output_type": "prediction" if card.kind == "probability" else "evaluation (points score)",
        "purpose.intended_use": "Informs clinicians who plan an adult's elective operation, a day or more before it.",
        "purpose.population": card.population,
        "purpose.users": "Surgeons, anaesthetists and preoperative clinics; not patients.",
        "purpose.decision_role": "informs",
    }


def _cautions_and_development(card: ModelCard, evaluation: Evaluation | None) -> dict[str, str]:
    limits = "; ".join(f"{limit.input} {limit.reason}" for limit in card.scope.limits)
    used = [
        f"{item}: {'used' if name is not None and name in {entry.name for entry in card.inputs} else 'not used'}"
        for item, name in DEMOGRAPHIC_ITEMS.items()
    ]
    criteria = card.population
    representativeness = _missing("the publication does not give these items for the derivation data")
    if evaluation is not None:
        data = evaluation["data"]
        left_out = ", ".join(f"{why} {count}" for why, count in data["left_out"].items())
        criteria = f"{data['n']} adults, {data['events']} events, of {data['rows_in_file']} rows; left out: {left_out}."
        race = ", ".join(f"{name} {count}" for name, count in data["race"].items())
        representativeness = (
            f"Female {100 * data['female']:.1f} %; age quartiles {data['age_quartiles']}; race {race}, "
            f"not recorded {data['missing']['race']}; the other items were not recorded."
        )
    return {
        "cautions.out_of_scope": (
            f"Emergency and trauma, children, pregnancy, triage or denial of surgery; {limits}; "
            f"{len(card.scope.operations_outside)} procedure groups outside the model and "
            f"{len(card.scope.operations_not_graded)} that it cannot grade."
        ),
        "cautions.known_risks": " ".join([*card.limits, "Reliance on a number instead of judgement."]),
        "development.criteria": criteria,
        "development.demographic_inputs": "; ".join(used),
        "development.representativeness": representativeness,
        "development.relevance": f"Derived on: {card.population} Coding, era and case mix differ elsewhere.",
    }


def _fairness_and_external(card: ModelCard) -> dict[str, str]:
    external = _external(card)
    return {
        "fairness.approach": "Equal calibration: observed to expected by age band, sex, race and procedure.",
        "fairness.mitigation": "Race, ethnicity, language and payment are not inputs.",
        "external.source": external,
        "external.tester": _missing("see external.source") if external.startswith("NONE") else "as cited",
        "external.representativeness": _missing("not told by subgroup"),
        "external.process": _missing("none performed")
        if external.startswith("NONE")
        else "Published equation, no refit.",
    }


def _external(card: ModelCard) -> str:
    if card.name == "sort-2014":
        return "Elective operations at Cleveland Clinic 2005 to 2010 (see elective-death, comparisons)."
    if card.trust == "fitted":
        return "NONE PERFORMED"
    return "NONE PERFORMED by this project; published validations: see citations."


def _performance(card: ModelCard, evaluation: Evaluation | None) -> dict[str, str]:
    internal = fairness = _missing("not measured by this project; see citations")
    if evaluation is not None:
        internal = " ".join(_told(entry) for entry in evaluation["performance"])
        ratios = [
            f"{entry['by']} {entry['group']}: observed to expected {entry['observed_to_expected']['value']:.2f}"
            for entry in evaluation["subgroups"]
            if "observed_to_expected" in entry and entry["by"] in {"age band", "sex", "race"}
        ]
        fairness = "; ".join(ratios)
    return {
        "performance.internal_validity": internal,
        "performance.internal_fairness": fairness,
        "performance.external_validity": _missing("no data of another source")
        if card.trust == "fitted"
        else _external(card),
        "performance.external_fairness": _missing("no data of another source"),
        "performance.outcome_evaluation": "None yet.",
    }


def _told(entry: Mapping[str, Any]) -> str:
    auroc, slope = entry["auroc"], entry["slope"]
    return (
        f"{entry['rows']}, ASA class {entry['asa_class']}: n {entry['n']}, events {entry['events']}, "
        f"AUROC {auroc['value']:.3f} ({auroc['low']:.3f} to {auroc['high']:.3f}), slope {slope['value']:.2f} "
        f"({slope['low']:.2f} to {slope['high']:.2f}), Brier {entry['brier']['value']:.4f} "
        f"(null {entry['brier_null']:.4f}), "
        f"expected {entry['expected']:.4f}, observed {entry['observed']:.4f}."
    )


def _maintenance() -> dict[str, str]:
    return {
        "maintenance.validity_monitoring": "Monthly observed to expected and drift of inputs, from recorded outcomes.",
        "maintenance.local_validity": NOT_AT_THIS_SITE,
        "maintenance.fairness_monitoring": "Monthly, the same by age band, sex and procedure, from ten events.",
        "maintenance.local_fairness": NOT_AT_THIS_SITE,
        "update.process": "Locked; refitted offline, run silently beside the model in use, promoted by a person.",
        "update.correction": "When two monthly figures in a row leave 0.8 to 1.25, silence is proposed within 30 days.",
    }
