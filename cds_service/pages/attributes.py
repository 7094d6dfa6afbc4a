"""The source attributes that 45 CFR 170.315(b)(11) asks of a decision support intervention, in their groups."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

NOT_AVAILABLE = "not available"


class Attribute(msgspec.Struct, frozen=True):
    """One attribute: its number in the rule's list, its key in the card, and what it asks."""

    number: int
    key: str
    asks: str


class AttributeGroup(msgspec.Struct, frozen=True):
    """One of the nine groups of attributes of a predictive intervention."""

    title: str
    attributes: tuple[Attribute, ...]


class AttributeAnswer(msgspec.Struct, frozen=True):
    """What a card says to one attribute; `told` is never empty."""

    attribute: Attribute
    told: str
    known: bool


# Source: 45 CFR 170.315(b)(11)(iv)(B), 89 FR 1192 (2024-01-09); the wording is ours.
_GROUPS: dict[str, dict[str, str]] = {
    "Details and output": {
        "details.developer": "Who built it, and how to reach them",
        "details.funding": "Who paid for building it",
        "details.output_value": "What value comes out",
        "details.output_type": "Kind of output",
    },
    "Purpose": {
        "purpose.intended_use": "Intended use",
        "purpose.population": "Intended patients",
        "purpose.users": "Intended users",
        "purpose.decision_role": "Role in the decision",
    },
    "Cautioned use": {
        "cautions.out_of_scope": "Where its use is warned against",
        "cautions.known_risks": "Known risks and limitations",
    },
    "Development": {
        "development.criteria": "Inclusion and exclusion of the data it was made from",
        "development.demographic_inputs": "Which demographic items are inputs",
        "development.representativeness": "How representative the data were on them",
        "development.relevance": "Relevance of the data to where it is used",
    },
    "Fairness": {
        "fairness.approach": "How the output was made fair",
        "fairness.mitigation": "How bias was reduced",
    },
    "External validation": {
        "external.source": "Data of the external test",
        "external.tester": "Who tested",
        "external.representativeness": "Demographics of the external data",
        "external.process": "How the test was done",
    },
    "Performance": {
        "performance.internal_validity": "Validity in data of the same source",
        "performance.internal_fairness": "Fairness in data of the same source",
        "performance.external_validity": "Validity in data of another source",
        "performance.external_fairness": "Fairness in data of another source",
        "performance.outcome_evaluation": "Evaluations of its effect on patients",
    },
    "Maintenance": {
        "maintenance.validity_monitoring": "How and how often validity is monitored",
        "maintenance.local_validity": "Validity in local data",
        "maintenance.fairness_monitoring": "How and how often fairness is monitored",
        "maintenance.local_fairness": "Fairness in local data",
    },
    "Update": {
        "update.process": "How and how often it is updated",
        "update.correction": "How often performance is corrected",
    },
}
_ABSENT = {
    "maintenance.local_validity": f"{NOT_AVAILABLE}: not yet evaluated at this site",
    "maintenance.local_fairness": f"{NOT_AVAILABLE}: not yet evaluated at this site",
}


def _numbered() -> tuple[AttributeGroup, ...]:
    groups, number = [], 0
    for title, asked in _GROUPS.items():
        attributes = []
        for key, asks in asked.items():
            number += 1
            attributes.append(Attribute(number, key, asks))
        groups.append(AttributeGroup(title, tuple(attributes)))
    return tuple(groups)


PREDICTIVE = _numbered()


def answers(told: Mapping[str, str]) -> tuple[tuple[str, tuple[AttributeAnswer, ...]], ...]:
    """Every attribute in its group with the card's text, or visibly "not available"; never blank (H-01)."""
    return tuple(
        (group.title, tuple(_answer(attribute, told.get(attribute.key, "")) for attribute in group.attributes))
        for group in PREDICTIVE
    )


def complete(told: Mapping[str, str]) -> dict[str, str]:
    """The 31 attributes by key, each with a text."""
    return {answer.attribute.key: answer.told for _, group in answers(told) for answer in group}


def _answer(attribute: Attribute, told: str) -> AttributeAnswer:
    text = told.strip() or _ABSENT.get(attribute.key, f"{NOT_AVAILABLE}: the card of this model does not tell")
    return AttributeAnswer(attribute, text, not text.lower().startswith(NOT_AVAILABLE))
