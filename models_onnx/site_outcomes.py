"""The outcomes that a hospital can fit for itself and nobody else: site_outcomes.yaml as types."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from models_onnx import data_files
from models_onnx.added_card import AddedOutcome


class SiteOutcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outcome as a card tells it, and how it gets known: `verification` names who may be missed."""

    outcome: AddedOutcome
    verification: str


@cache
def site_outcomes() -> dict[str, SiteOutcome]:
    """By name."""
    found = data_files.read_yaml(Path(__file__).with_name("site_outcomes.yaml"), tuple[SiteOutcome, ...])
    return {one.outcome.name: one for one in found}
