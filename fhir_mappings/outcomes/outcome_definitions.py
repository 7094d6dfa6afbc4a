"""The written definitions of outcomes: one strict YAML per outcome, each code set with its source beneath it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fhir_mappings.terminology.code_systems import ICD_10_PCS, ICD_DIAGNOSES, NAMES, normalised
from fhir_mappings.terminology.value_sets import STANDARD, CodeRule, ValueSet, ValueSets
from models_onnx import data_files
from models_onnx.data_files import DataFileError

DIRECTORY = Path(__file__).with_name("definitions")
NOT_DERIVED = Path(__file__).with_name("not_derived.yaml")
_BY_PREFIX = ICD_DIAGNOSES | {ICD_10_PCS}

Kind = Literal["death", "event", "reoperation", "readmission", "stay", "any-of"]


class OutcomeCodes(Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of one system (its name in code_systems.NAMES), with the publication that says what they mean.

    ICD and ICD-10-PCS: the code and all below it; others: this code. `from_day`, of procedures only: the first day
    after the operation on which one counts.
    """

    system: str
    codes: tuple[str, ...]
    source: str
    from_day: int = 0


class OutcomeDefinition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What counts as one outcome.

    `postoperative`: diagnoses that by their meaning follow an operation. `earliest_day`: the first day after the
    operation on which a diagnosis can be of this operation. `could_be`: codes too wide to say. `near`:
    ideas of value_sets/ whose SNOMED CT codes could be it. `value_sets`: those whose procedures count. `vouched`: it is
    absent only where the site says that it always records such events as codes. `parts`: of "any-of", the others.
    `unseen`: what this definition cannot see.
    """

    name: str
    title: str
    scope: Literal["model", "site"]
    kind: Kind
    horizon_days: int
    earliest_day: int = 0
    definition: str
    source: str
    unseen: str
    diagnoses: tuple[OutcomeCodes, ...] = ()
    postoperative: tuple[OutcomeCodes, ...] = ()
    could_be: tuple[OutcomeCodes, ...] = ()
    near: tuple[str, ...] = ()
    procedures: tuple[OutcomeCodes, ...] = ()
    procedures_could_be: tuple[OutcomeCodes, ...] = ()
    value_sets: tuple[str, ...] = ()
    vouched: bool = False
    parts: tuple[str, ...] = ()

    @property
    def reads_conditions(self) -> bool:
        """Whether a diagnosis can make it true."""
        return bool(self.diagnoses or self.postoperative)

    @property
    def reads_procedures(self) -> bool:
        """Whether a procedure can make it true."""
        return bool(self.procedures or self.value_sets)


class NotDerived(Struct, frozen=True, forbid_unknown_fields=True):
    """An outcome that has no definition here, and why."""

    name: str
    why: str


def load(directory: Path = DIRECTORY) -> tuple[OutcomeDefinition, ...]:
    """Every definition of the folder, by name. Raises DataFileError naming the file that cannot be used."""
    found = []
    for path in sorted(directory.glob("*.yaml")):
        one = data_files.read_yaml(path, OutcomeDefinition)
        if why := _why_not(one, path):
            raise DataFileError(f"{path}:1: {why}")
        found.append(one)
    names = {one.name for one in found}
    for one in found:
        if absent := set(one.parts) - names:
            raise DataFileError(f"{one.name}: no definition of {', '.join(sorted(absent))}")
    return tuple(found)


def _why_not(of: OutcomeDefinition, path: Path) -> str | None:
    """What is wrong with a definition that has the right members."""
    sets = (*of.diagnoses, *of.postoperative, *of.could_be, *of.procedures, *of.procedures_could_be)
    systems = {one.system for one in sets} - NAMES.keys()
    ideas = {*of.near, *of.value_sets} - STANDARD.by_id.keys()
    texts = (of.definition, of.source, of.unseen, *(one.source for one in sets))
    faults = {
        "its name is not that of its file": of.name != path.stem,
        f"{', '.join(sorted(systems))}: no code system is called so": systems,
        f"{', '.join(sorted(ideas))}: no value set is called so": ideas,
        "a definition, a source or what it cannot see is empty": not all(text.strip() for text in texts),
        "a horizon, a day or a list of codes is none": not 0 <= of.earliest_day <= of.horizon_days
        or of.horizon_days <= 0
        or any(one.from_day < 0 or not one.codes for one in sets),
        "parts belong to any-of, and to it alone": (of.kind == "any-of") != bool(of.parts),
        "codes belong to an event, and to it alone": (of.kind == "event")
        != (of.reads_conditions or of.reads_procedures),
    }
    return next((told for told, is_so in faults.items() if is_so), None)


def not_derived() -> tuple[NotDerived, ...]:
    """The outcomes of models that no codes of FHIR define, and why."""
    return tuple(data_files.read_yaml(NOT_DERIVED, list[NotDerived]))


def counted(name: str) -> str:
    """The id of the value set of diagnoses that are the outcome."""
    return f"outcome:{name}"


def after_surgery(name: str) -> str:
    """The id of the value set of diagnoses that are the outcome and by their meaning follow an operation."""
    return f"postoperative:{name}"


def unsure(name: str) -> str:
    """The id of the value set of diagnoses that could be the outcome."""
    return f"could-be:{name}"


def done(name: str, from_day: int) -> str:
    """The id of the value set of procedures that are the outcome from that day after the operation on."""
    return f"done:{name}:{from_day}"


def unsure_done(name: str) -> str:
    """The id of the value set of procedures that could be the outcome."""
    return f"done-could-be:{name}"


def value_sets(definitions: tuple[OutcomeDefinition, ...], site: ValueSets = STANDARD) -> ValueSets:
    """A site's value sets with those of the definitions beside them."""
    own: list[ValueSet] = []
    for one in definitions:
        lists = [(counted(one.name), one.diagnoses), (after_surgery(one.name), one.postoperative)]
        lists += [(unsure(one.name), one.could_be), (unsure_done(one.name), one.procedures_could_be)]
        days = sorted({codes.from_day for codes in one.procedures})
        lists += [(done(one.name, day), tuple(c for c in one.procedures if c.from_day == day)) for day in days]
        own += [ValueSet(name, one.title, "1", tuple(_rules(codes))) for name, codes in lists if codes]
    return ValueSets((*site.by_id.values(), *own))


def diagnosis_rules(of: OutcomeDefinition) -> list[CodeRule]:
    """The rules by which a diagnosis is, or could be, the outcome."""
    return _rules((*of.diagnoses, *of.postoperative, *of.could_be))


def _rules(lists: tuple[OutcomeCodes, ...]) -> list[CodeRule]:
    found = []
    for one in lists:
        system = NAMES[one.system]
        kind: Literal["prefix", "code"] = "prefix" if system in _BY_PREFIX else "code"
        found += [CodeRule(system, kind, normalised(system, code)) for code in one.codes]
    return found


def digest(directory: Path = DIRECTORY) -> str:
    """Which definitions these are: the first twelve digits of the SHA-256 over their files."""
    whole = hashlib.sha256()
    for path in sorted(directory.glob("*.yaml")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:12]


DEFINITIONS = load()
BY_NAME = {one.name: one for one in DEFINITIONS}
DIGEST = digest()
SITE_OUTCOMES = frozenset(one.name for one in DEFINITIONS if one.scope == "site")
