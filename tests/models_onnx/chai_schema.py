"""The order of elements that the CHAI Applied Model Card schema asks for, and what a document does otherwise.

Facts of coalition-for-health-ai/mc-schema v0.2/schema.xsd @2ae5a9159f84b5d5335b08f1bc91f5a6a62193db, in our form:
`?` may be left out, `*` and `+` may repeat; a name alone holds text. (Its one import, for signatures, is of the web.)
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"
METRIC = "MetricGoal Results Interpretation TestType TestingDataDescription ValidationProcessAndJustification"
CHILDREN = {
    "AppliedModelCard": "BasicInfo ReleaseInfo ModelSummary UsesAndDirections Warnings TrustIngredients KeyMetrics "
    "Resources Bibliography",
    "BasicInfo": "ModelName ModelDeveloper DeveloperContact",
    "ReleaseInfo": "ReleaseStage ReleaseDate ReleaseVersion GlobalAvailability EHRCompatibility? RegulatoryApproval?",
    "EHRCompatibility": "EHR*",
    "ModelSummary": "Summary Keywords",
    "Keywords": "Keyword*",
    "UsesAndDirections": "IntendedUseAndWorkflow PrimaryIntendedUsers HowToUse TargetedPatientPopulation "
    "CautionedOutOfScopeSettings",
    "Warnings": "KnownRisksAndLimitations KnownBiasesOrEthicalConsiderations ClinicalRiskLevel",
    "TrustIngredients": "AISystemFacts TransparencyInformation",
    "AISystemFacts": "OutcomesAndOutputs ModelType FoundationModels? InputDataSource OutputAndInputDataTypes "
    "DevelopmentDataCharacterization BiasMitigationApproaches OngoingMaintenance Security? Transparency?",
    "TransparencyInformation": "FundingSource ThirdPartyInformation? StakeholdersConsulted",
    "KeyMetrics": "UsefulnessUsabilityEfficacy FairnessEquity SafetyReliability",
    "UsefulnessUsabilityEfficacy": METRIC,
    "FairnessEquity": METRIC,
    "SafetyReliability": METRIC,
    "Results": "MetricResult+",
    "MetricResult": "Label ValueJson",
    "Resources": "EvaluationReferences? ClinicalTrial? PeerReviewedPublications ReimbursementStatus? "
    "PatientConsentOrDisclosure",
}


def problems(element: Element) -> list[str]:
    """Every way in which an element and those within it leave the schema."""
    namespace, _, name = element.tag.rpartition("}")
    if namespace != f"{{{NAMESPACE}":
        return [f"{name}: not in the namespace of v0.2"]
    children = [child.tag.rpartition("}")[2] for child in element]
    wanted = CHILDREN.get(name)
    if wanted is None:
        return [f"{name}: holds {children} where text belongs"] if children else []
    pattern = "".join(re.sub(r"(\w+)([?*+]?)", r"(?:\1 )\2", part) for part in wanted.split())
    found = [] if re.fullmatch(pattern, "".join(f"{child} " for child in children)) else [f"{name}: not {wanted}"]
    return found + [problem for child in element for problem in problems(child)]
