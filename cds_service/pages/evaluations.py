"""The evaluation that lies beside a fitted model, as its page tells it; published equations have none of ours."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cds_service.pages import forest, plots
from cds_service.pages.plots import Drawing
from models_onnx import data_files
from models_onnx.model_card import ModelCard
from models_onnx.registry import PACKAGE


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on which data; every row comes from the training pipeline (H-08)."""

    data: dict[str, Any]
    method: str
    performance: tuple[dict[str, Any], ...] = ()
    comparisons: tuple[dict[str, Any], ...] = ()
    subgroups: tuple[dict[str, Any], ...] = ()
    calibration: dict[str, Any] = {}
    roc: dict[str, Any] = {}
    decision_curve: tuple[dict[str, Any], ...] = ()

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """The plots of which there are data."""
        drawn = (
            self.calibration and plots.calibration(self.calibration),
            self.roc and plots.roc(self.roc),
            self.decision_curve and plots.decision_curve(self.decision_curve),
            forest.subgroups(self.subgroups),
        )
        return tuple(drawing for drawing in drawn if isinstance(drawing, Drawing))


def of(card: ModelCard, directory: Path = PACKAGE) -> Evaluation | None:
    """The evaluation of this very version; None where it was evaluated by its authors only."""
    return _read(directory / card.outcome / card.name / card.version / "evaluation.json")


def as_told(card: ModelCard, directory: Path = PACKAGE) -> dict[str, Any] | None:
    """The same evaluation, whole, as the training pipeline wrote it."""
    return _whole(directory / card.outcome / card.name / card.version / "evaluation.json")


@cache
def _read(path: Path) -> Evaluation | None:
    return None if (whole := _whole(path)) is None else msgspec.convert(whole, Evaluation)


@cache
def _whole(path: Path) -> dict[str, Any] | None:
    return data_files.read_json(path, dict[str, Any]) if path.is_file() else None
