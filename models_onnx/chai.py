"""The CHAI Applied Model Card (v0.2 schema, draft) of a model, as XML, from the same card as everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from models_onnx.model_card import ModelCard
from models_onnx.source_attributes import attributes

# Element by element as in coalition-for-health-ai/mc-schema @1c77360; a dict nests.
Tree = Mapping[str, Any]


def model_card_xml(card: ModelCard, evaluation: Mapping[str, Any] | None = None) -> bytes:
    """The card as UTF-8 XML."""
    root = ET.Element("AppliedModelCard")
    _fill(root, _tree(card, attributes(card, evaluation), evaluation))
    ET.indent(root, " ")
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _fill(parent: ET.Element, tree: Tree) -> None:
    for name, value in tree.items():
        for entry in value if isinstance(value, list) else [value]:
            child = ET.SubElement(parent, name)
            if isinstance(entry, Mapping):
                _fill(child, entry)
            else:
                child.text = str(entry)


def _tree(card: ModelCard, told: Mapping[str, str], evaluation: Mapping[str, Any] | None) -> Tree:
    return {
        "BasicInfo": {
            "ModelName": card.title,
            "ModelDeveloper": told["details.developer"],
            "DeveloperContact": "the contact that the service's operator gives",
        },
        "ReleaseInfo": {
            "ReleaseStage": "released",
            "ReleaseDate": card.released,
            "ReleaseVersion": card.version,
            "GlobalAvailability": "open source",
            "RegulatoryApproval": "none; not reviewed by the FDA",
        },
        "ModelSummary": {"Summary": card.summary, "Keywords": f"surgery, risk, {card.outcome}"},
        "UsesAndDirections": {
            "IntendedUseAndWorkflow": told["purpose.intended_use"],
            "PrimaryIntendedUsers": told["purpose.users"],
            "HowToUse": "Read beside the order; the number, its interval and what is missing are told together.",
            "TargetedPatientPopulation": card.population,
            "CautionedOutOfScopeSettings": told["cautions.out_of_scope"],
        },
        "Warnings": {
            "KnownRisksAndLimitations": told["cautions.known_risks"],
            "KnownBiasesOrEthicalConsiderations": told["performance.internal_fairness"],
            "ClinicalRiskLevel": "informs; a clinician decides",
        },
        "TrustIngredients": _trust(card, told),
        "KeyMetrics": _metrics(told, evaluation),
        "Resources": {
            "EvaluationReferences": "docs/models.md",
            "PeerReviewedPublications": " ".join(card.citations),
        },
        "Bibliography": "\n".join(f"@misc{{{card.name}-{k}, note = {{{c}}}}}" for k, c in enumerate(card.citations, 1)),
    }


def _trust(card: ModelCard, told: Mapping[str, str]) -> Tree:
    return {
        "AISystemFacts": {
            "OutcomesAndOutputs": told["details.output_value"],
            "ModelType": "additive logistic model" if card.kind == "probability" else "points score",
            "InputDataSource": "FHIR resources of the electronic health record",
            "OutputAndInputDataTypes": "; ".join(f"{entry.name} ({entry.unit}): {entry.why}" for entry in card.inputs),
            "DevelopmentDataCharacterization": " ".join(v for k, v in told.items() if k.startswith("development.")),
            "BiasMitigationApproaches": f"{told['fairness.approach']} {told['fairness.mitigation']}",
            "OngoingMaintenance": " ".join(v for k, v in told.items() if k.startswith(("maintenance.", "update."))),
        },
        "TransparencyInformation": {
            "FundingSource": told["details.funding"],
            "StakeholdersConsulted": "not available: none recorded",
        },
    }


def _metrics(told: Mapping[str, str], evaluation: Mapping[str, Any] | None) -> Tree:
    shared = {
        "TestType": "internal, nested cross-validation" if evaluation else "published",
        "TestingDataDescription": told["development.criteria"],
        "ValidationProcessAndJustification": evaluation["method"] if evaluation else "see the cited publications",
    }

    def metric(goal: str, label: str, value: Any, meaning: str) -> Tree:
        results = {"Label": label, "ValueJson": json.dumps(value)}
        return {"MetricGoal": goal, "Results": results, "Interpretation": meaning, **shared}

    performance = evaluation["performance"] if evaluation else []
    subgroups = evaluation["subgroups"] if evaluation else []
    optimism = evaluation["optimism"] if evaluation else {}
    return {
        "UsefulnessUsabilityEfficacy": metric(
            "Discrimination and calibration", "performance", performance, told["performance.internal_validity"]
        ),
        "FairnessEquity": metric("Equal calibration", "subgroups", subgroups, told["performance.internal_fairness"]),
        "SafetyReliability": metric("Optimism", "optimism", optimism, "Loss when refitted rows meet unseen ones."),
    }
