"""Everything that is read from Observations, by the prefetch key under which it is asked for; one row each, elsewhere.

Index and queries have it from here, derivation from the same rows. The names are those of the value sets.
"""

from __future__ import annotations

from fhir_mappings.results.finding_rules import FINDINGS
from fhir_mappings.results.measurement_rules import RULES, MeasurementRule
from fhir_mappings.results.tested_rules import TESTED

# Answers to questions (questionnaire_answers.py, pregnancy.py, nausea.py).
_ANSWERED = (
    "asa-class",
    "functional-status",
    "smoking-status",
    "pregnancy-status",
    "nausea-or-motion-sickness-question",
    "postoperative-opioid-question",
)
_CODED_FINDINGS = ("lumbar-stenosis-grade", "genetic-finding")  # findings.py
LABORATORY = (
    *(rule.idea for rule in RULES.values() if rule.laboratory),
    *(one.idea for one in TESTED.values() if one.laboratory),
)
OTHERS = (
    *(rule.idea for rule in RULES.values() if not rule.laboratory),
    *_ANSWERED,
    *(one.idea for one in TESTED.values() if not one.laboratory),
    *(rule.idea for rule in FINDINGS.values()),
    *_CODED_FINDINGS,
)
RECORDED = (*LABORATORY, *OTHERS)
# Every number by its value set, and those that are features.
OF_FEATURES: dict[str, MeasurementRule] = {rule.idea: rule for rule in (*RULES.values(), *FINDINGS.values())}
NUMBERS = OF_FEATURES | {one.idea: one.number for one in TESTED.values() if one.number is not None}
