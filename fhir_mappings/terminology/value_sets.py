"""The clinical ideas: which codes mean what. Each is one FHIR ValueSet in value_sets/, loaded once at start.

Codes are listed, or selected as FHIR does: `concept is-a` (in ICD: the category and all below, by prefix) and
`code regex` (whole code). A site with a terminology server adds its expansion to a set, or replaces it (expansions.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.terminology.code_systems import ATC, ICD_10, ICD_10_PCS, ICD_DIAGNOSES, canonical, normalised
from fhir_mappings.terminology.icd_editions import BY_CHECKED_ROWS, is_classified, means_as_who, refined
from fhir_mappings.terminology.icd_spelling import in_who_terms
from fhir_mappings.terminology.remembering import remembered
from models_onnx import data_files

DIRECTORY = Path(__file__).with_name("value_sets")
TRUST_URL = "https://surgical-risk.io/fhir/StructureDefinition/code-trust"
UNVERIFIED = "k"
_HIERARCHICAL = ICD_DIAGNOSES | {ATC, ICD_10_PCS}  # a code's descendants are those that begin with it
_LONGEST = 64  # characters; no listed code is longer, and foreign text of any length is never kept


class ValueSetError(Exception):
    """A value set cannot be used; the message names the file and the member. The service does not start."""


class CodeRule(Struct, frozen=True, gc=False):
    """One way in which a code of `system` belongs to a set: by being it, beginning with it, or matching it."""

    system: str
    kind: Literal["code", "prefix", "regex"]
    value: str
    trust: str = "V"


class ValueSet(Struct, frozen=True, gc=False):
    """One clinical idea with its rules."""

    id: str
    title: str
    version: str
    includes: tuple[CodeRule, ...]
    excludes: tuple[CodeRule, ...] = ()

    def codes(self, system: str) -> tuple[str, ...]:
        """The codes that are listed, not selected by a rule, of one system, in the order of the file."""
        listed = (rule.value for rule in self.includes if rule.system == system and rule.kind == "code")
        return tuple(dict.fromkeys(listed))

    def keeps_out(self, system: str, code: str) -> bool:
        """Whether a rule excludes the code, whatever includes it."""
        return any(rule.system == system and _holds(rule, code) for rule in self.excludes)


class ValueSets:
    """All ideas, indexed so that one code is asked once: which of them is it? Immutable.

    `reviewed`: (system, code) pairs that a site's terminology server gave as of no idea (reviewed_codes.py).
    """

    def __init__(self, sets: Iterable[ValueSet], reviewed: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.by_id: Mapping[str, ValueSet] = {one.id: one for one in sets}
        self.reviewed = reviewed
        # Whether codes of trust k are left out: then they count in no other table either (drug_classes.py).
        self.only_verified = not any(rule.trust == UNVERIFIED for one in self.by_id.values() for rule in one.includes)
        self._listed: dict[tuple[str, str], list[str]] = {}
        self._prefixed: dict[tuple[str, str], list[str]] = {}
        self._matched: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for one in self.by_id.values():
            for rule in one.includes:
                self._index(rule, one.id)
        self._remembered = remembered(most=16_384)(self._containing)

    def __reduce__(self) -> tuple[type[ValueSets], tuple[tuple[ValueSet, ...], frozenset[tuple[str, str]]]]:
        """To another process goes what the sets say; what was remembered of them is found anew there."""
        return ValueSets, (tuple(self.by_id.values()), self.reviewed)

    def _index(self, rule: CodeRule, name: str) -> None:
        if rule.kind == "regex":
            self._matched.setdefault(rule.system, []).append((re.compile(rule.value), name))
        else:
            index = self._listed if rule.kind == "code" else self._prefixed
            index.setdefault((rule.system, rule.value), []).append(name)

    def containing(self, system: str, code: str) -> tuple[str, ...]:
        """The ids of the sets that hold the code, in the order in which the files are named."""
        return self._remembered(system, code) if len(code) <= _LONGEST and len(system) <= 4 * _LONGEST else ()

    def _containing(self, system: str, code: str) -> tuple[str, ...]:
        system = canonical(system)
        code = normalised(system, code)
        checked = system not in ICD_DIAGNOSES or is_classified(system, code)
        found = set(self._by_rules(system, code, whole=checked))
        if checked and system in BY_CHECKED_ROWS:
            code = in_who_terms(system, code)
            who = self._by_rules(ICD_10, code, whole=True) if means_as_who(system, code) else ()
            found.update(refined(system, code, who) & self.by_id.keys())
        return tuple(sorted(found))

    def _by_rules(self, system: str, code: str, *, whole: bool) -> list[str]:
        """The sets that hold a normalised code by the rules for `system`: as listed or, `whole`, by prefix and form."""
        found = set(self._listed.get((system, code), ()))
        if whole:
            if system in _HIERARCHICAL:
                for length in range(1, len(code) + 1):
                    found.update(self._prefixed.get((system, code[:length]), ()))
            found.update(name for pattern, name in self._matched.get(system, ()) if pattern.fullmatch(code))
        return [name for name in found if not self.by_id[name].keeps_out(system, code)]

    def verified(self) -> ValueSets:
        """These sets without the codes whose meaning stands in one public source only (trust k, docs/mapping.md)."""
        return ValueSets(
            (
                replace(one, includes=tuple(rule for rule in one.includes if rule.trust != UNVERIFIED))
                for one in self.by_id.values()
            ),
            self.reviewed,
        )

    def codes(self, name: str, system: str) -> tuple[str, ...]:
        """The listed codes of one system in the set `name`."""
        return self.by_id[name].codes(system)


def _holds(rule: CodeRule, code: str) -> bool:
    if rule.kind == "regex":
        return re.fullmatch(rule.value, code) is not None
    return code == rule.value if rule.kind == "code" else code.startswith(rule.value)


def load(directory: Path = DIRECTORY) -> ValueSets:
    """Every ValueSet of the directory; raises ValueSetError naming the file that cannot be used."""
    return ValueSets(_from_file(path) for path in sorted(directory.glob("*.json")))


def _from_file(path: Path) -> ValueSet:
    try:
        document = data_files.read_json(path, dict)
        compose = document["compose"]
        return ValueSet(
            document["id"],
            document["title"],
            document["version"],
            tuple(rule for part in compose["include"] for rule in _rules(part)),
            tuple(rule for part in compose.get("exclude", ()) for rule in _rules(part)),
        )
    except (msgspec.MsgspecError, KeyError, ValueError, re.error) as error:
        raise ValueSetError(f"{path.name}: {error}") from error


def _rules(part: Mapping[str, Any]) -> Iterable[CodeRule]:
    system, trust = part["system"], _trust(part)
    for concept in part.get("concept", ()):
        yield CodeRule(system, "code", normalised(system, concept["code"]), _trust(concept) or trust)
    for selected in part.get("filter", ()):
        yield _selection(system, selected, trust)


def _selection(system: str, selected: Mapping[str, str], trust: str) -> CodeRule:
    match selected["property"], selected["op"]:
        case "concept", "is-a" if system in _HIERARCHICAL:
            return CodeRule(system, "prefix", normalised(system, selected["value"]), trust)
        case "code", "regex":
            pattern = selected["value"].replace("\\.", "") if system in ICD_DIAGNOSES else selected["value"]
            re.compile(pattern)
            return CodeRule(system, "regex", pattern, trust)
    raise ValueError(f"filter {selected['property']} {selected['op']} on {system} is not understood")


def _trust(part: Mapping[str, Any]) -> str:
    for extension in part.get("extension", ()):
        if extension["url"] == TRUST_URL:
            return str(extension["valueCode"])
    return ""


STANDARD = load()
