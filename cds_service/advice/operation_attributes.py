"""How the catalogue sees an operation (operations.yaml): its attributes, each with its source, cited or assumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from models_onnx import data_files

Attribute = Literal["spine", "instrumented", "elevated-risk", "blood-loss", "major", "preference-sensitive"]
FILE = Path(__file__).with_name("operations.yaml")


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an attribute says. `standing`: a source classes the operations so, or this product decided."""

    words: str
    standing: Literal["cited", "assumed"]
    source: str


class OperationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Attributes by procedure group. `elevated_risk_assumed`: groups that the cited table does not name as they are."""

    attributes: Mapping[Attribute, Meaning]
    operations: Mapping[str, tuple[Attribute, ...]]
    elevated_risk_assumed: Mapping[str, str]


OPERATIONS: OperationTable = data_files.read_yaml(FILE, OperationTable)
_ATTRIBUTES = {group: frozenset(attributes) for group, attributes in OPERATIONS.operations.items()}
_NONE: frozenset[Attribute] = frozenset()


def attributes(procedure_group: str) -> frozenset[Attribute]:
    """What the catalogue knows of an operation; nothing of one that it does not list."""
    return _ATTRIBUTES.get(procedure_group, _NONE)
