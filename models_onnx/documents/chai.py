"""The CHAI Applied Model Card (v0.2 schema, draft) of a model, as XML, from the same card as everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from models_onnx.documents.source_attributes import attributes
from models_onnx.model_card import ModelCard

# Element by element in the order of coalition-for-health-ai/mc-schema v0.2/schema.xsd @2ae5a91; a dict nests, a list
# repeats. tests/models_onnx/chai_schema.py holds the order.
NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
Tree = Mapping[str, Any]


def model_card_xml(card: ModelCard, evaluation: Mapping[str, Any] | None = None) -> bytes:
    """The card as UTF-8 XML."""
    root = ET.Element("AppliedModelCard", {"xmlns": NAMESPACE})
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
        "ModelSummary": {"Summary": card.summary, "Keywords": {"Keyword": ["surgery", "risk", card.outcome]}},
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
            "PatientConsentOrDisclosure": "not available: how patients are told is for the hospital to decide",
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

    def metric(goal: str, results: list[Tree], meaning: str) -> Tree:
        return {"MetricGoal": goal, "Results": {"MetricResult": results}, "Interpretation": meaning, **shared}

    return {
        "UsefulnessUsabilityEfficacy": metric(
            "Discrimination and calibration", _performance(evaluation), told["performance.internal_validity"]
        ),
        "FairnessEquity": metric("Equal calibration", _subgroups(evaluation), told["performance.internal_fairness"]),
        "SafetyReliability": metric(
            "Optimism", _optimism(evaluation), "What refitted models lose when they meet rows they were not drawn from."
        ),
    }


def _performance(evaluation: Mapping[str, Any] | None) -> list[Tree]:
    rows = evaluation["performance"] if evaluation else []
    return [
        _result(f"{row['rows']}, ASA class {row['asa_class']}: {words}", row[name])
        for row in rows
        for name, words in (("auroc", "AUROC"), ("slope", "calibration slope"), ("brier", "Brier score"))
    ] or [NOT_MEASURED]


def _subgroups(evaluation: Mapping[str, Any] | None) -> list[Tree]:
    rows = evaluation["subgroups"] if evaluation else []
    return [
        _result(f"{row['by']} {row['group']}: observed to expected", row["observed_to_expected"])
        for row in rows
        if "observed_to_expected" in row
    ] or [NOT_MEASURED]


def _optimism(evaluation: Mapping[str, Any] | None) -> list[Tree]:
    found = evaluation["optimism"] if evaluation else {}
    return [
        _result(f"{name}, corrected for optimism", {**found[name], "value": found[name]["corrected"]})
        for name in ("auroc", "brier", "slope")
        if name in found
    ] or [NOT_MEASURED]


def _result(label: str, figure: Mapping[str, Any]) -> Tree:
    """A figure in the form of the schema's own examples; its 95 % interval stands in the label."""
    low, high = figure["low"], figure["high"]
    interval = "" if low is None else f" (95 % interval {low:.4g} to {high:.4g})"
    value = {"kind": "single", "value": figure["value"], "unit": ""}
    return {"Label": f"{label}{interval}", "ValueJson": json.dumps(value)}


NOT_MEASURED: Tree = {
    "Label": "not available: not measured by this project",
    "ValueJson": json.dumps({"kind": "single", "value": None, "unit": ""}),
}
