"""The public summary of risk management: what could go wrong, and the test that proves each control (irm.yaml)."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from models_onnx import data_files

CHARACTERISTICS = (
    "validity",
    "reliability",
    "robustness",
    "fairness",
    "intelligibility",
    "safety",
    "security",
    "privacy",
)


class Hazard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One characteristic of 45 CFR 170.315(b)(11)(vi): what was found, what is done, and what proves it."""

    characteristic: str
    hazard: str
    cause: str
    harm: str
    control: str
    proof: tuple[str, ...]
    residual: str


class Summary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The eight rows, with who answers for them and when they were last reviewed."""

    owner: str
    reviewed: datetime.date
    review_every_months: int
    governance: tuple[str, ...]
    hazards: tuple[Hazard, ...]


def read_summary(path: Path) -> Summary:
    """The summary in `path`; ValueError unless it covers the eight characteristics, each once, in order."""
    summary = data_files.read_yaml(path, Summary)
    if tuple(hazard.characteristic for hazard in summary.hazards) != CHARACTERISTICS:
        raise ValueError(f"{path.name}: it has to cover {', '.join(CHARACTERISTICS)}, in this order")
    return summary


SUMMARY = read_summary(Path(__file__).with_name("irm.yaml"))
