"""Ferritin and transferrin saturation as numbers: what suggestions ask of the iron stores; no model uses them."""

from __future__ import annotations

from functools import partial

from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results import quantities
from fhir_mappings.results.feature import Feature, FeatureDefinition
from fhir_mappings.results.measurements import feature_of_outcome
from fhir_mappings.results.result_selection import winner
from fhir_mappings.results.tested_rules import TESTED

RULES = {name: one.number for name, one in TESTED.items() if one.number is not None}
DEFINITIONS = {
    name: FeatureDefinition(
        name=name,
        label=rule.label,
        kind="number",
        unit=rule.unit,
        source="docs/suggestions.md, catalogue rows 5 and 6",
        decimals=rule.decimals,
    )
    for name, rule in RULES.items()
}
_READERS = {name: partial(quantities.read_value, rule) for name, rule in RULES.items()}


def iron_results(record: PatientRecord) -> dict[str, Feature]:
    """The results that count as of the hook, by name; a test without one is absent."""
    found = {}
    for name, rule in RULES.items():
        results = record.recorded.get(name)
        half_unit = partial(quantities.half_unit, rule)
        outcome = winner(results, _READERS[name], rule.lookback_days, record.clock, half_unit) if results else None
        if outcome is not None:
            found[name] = feature_of_outcome(name, rule.unit, outcome, record.seen("labs").within(rule.lookback_days))
    return found
