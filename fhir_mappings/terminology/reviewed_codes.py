"""Codes that were reviewed and belong to none of our ideas: understood, and of no effect (DEC-37)."""

from __future__ import annotations

from pathlib import Path

from fhir_mappings.terminology.value_sets import UNVERIFIED, ValueSets, load
from models_onnx import data_files

DIRECTORY = Path(__file__).with_name("reviewed_codes")

_SETS = load(DIRECTORY).by_id.values()
_CONTACTS = (name for path in sorted(DIRECTORY.glob("*.json")) for name in data_files.read_json(path, dict)["contact"])
_RULES = tuple(rule for one in _SETS for rule in one.includes)
VERSION = ", ".join(one.version for one in _SETS)
READERS = "; ".join(one["name"] for one in _CONTACTS if "reader: " in one["name"])
# (system, code) of every ValueSet file of the folder; each file says who keeps it, its sources, licence and readers.
REVIEWED: frozenset[tuple[str, str]] = frozenset((rule.system, rule.value) for rule in _RULES)
# Those whose meaning stands in two independent public sources: all that counts where a tenant asks for such codes only.
VERIFIED: frozenset[tuple[str, str]] = frozenset(
    (rule.system, rule.value) for rule in _RULES if rule.trust != UNVERIFIED
)


def shipped(sets: ValueSets) -> frozenset[tuple[str, str]]:
    """The reviewed codes that count beside these sets: all, or the verified ones where the sets hold no others."""
    return VERIFIED if sets.only_verified else REVIEWED


def is_reviewed(system: str, code: str, sets: ValueSets) -> bool:
    """Whether a code that is in no set was reviewed, here or by the site (`reviewed` of its terminology server)."""
    return (system, code) in sets.reviewed or (system, code) in shipped(sets)
