"""Ferritin and transferrin saturation as numbers: what suggestions ask of the iron stores; no model uses them."""

from __future__ import annotations

from functools import partial

from fhir_mappings import quantities
from fhir_mappings.feature import Feature, FeatureDefinition
from fhir_mappings.measurements import told
from fhir_mappings.patient_record import PatientRecord
from fhir_mappings.ranking import winner
from fhir_mappings.tested_rules import TESTED

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
_READERS = {name: partial(quantities.read, rule) for name, rule in RULES.items()}


def read(record: PatientRecord) -> dict[str, Feature]:
    """The results that count as of the hook, by name; a test without one is absent."""
    found = {}
    for name, rule in RULES.items():
        results = record.recorded.get(name)
        half_unit = partial(quantities.half_unit, rule)
        outcome = winner(results, _READERS[name], rule.lookback_days, record.clock, half_unit) if results else None
        if outcome is not None:
            found[name] = told(name, rule.unit, outcome, record.seen("labs"))
    return found
