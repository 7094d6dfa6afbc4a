"""Codes that were reviewed and belong to none of our ideas: understood, and of no effect (DEC-37)."""

from __future__ import annotations

from pathlib import Path

from fhir_mappings.value_sets import load

DIRECTORY = Path(__file__).with_name("reviewed_codes")

# (system, code) of every ValueSet file of the folder; each file says who keeps it, its source, licence and readers.
REVIEWED: frozenset[tuple[str, str]] = frozenset(
    (rule.system, rule.value) for one in load(DIRECTORY).by_id.values() for rule in one.includes
)
