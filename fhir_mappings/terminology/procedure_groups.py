"""The groups of operations that the models see alike (procedure_groups.json); by which codes, a value set each says."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from models_onnx import data_files


class ProcedureGroup(Struct, frozen=True, gc=False):
    """A group of operations that the models see alike; `gravity` orders them.

    `assumption`: what was assumed where the order's code says less than a publication asks, told on model pages.
    """

    name: str
    label: str
    gravity: int
    assumption: str = ""


def _load_groups() -> dict[str, ProcedureGroup]:
    document = data_files.read_json(Path(__file__).with_name("procedure_groups.json"), dict)
    members = ("name", "label", "gravity", "assumption")
    return {row["name"]: ProcedureGroup(*(row[name] for name in members)) for row in document["groups"]}


GROUPS = _load_groups()
SPINE_GROUPS = frozenset(name for name in GROUPS if name.startswith("spine-"))
