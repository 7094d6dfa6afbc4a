"""The shipped graphs on anybody's rows: predictions, and how good they are there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from models_onnx.sessions import open_session
from models_onnx.training import metrics, surgery_timing
from models_onnx.training.penalised import Matrix
from models_onnx.training.surgery_timing import MODELS, Operations

# The graphs read ASA class 1 to 5; the file holds only I-II, III and IV-VI.
ASA_CLASS = np.array([2.0, 3.0, 4.0])
FEWEST_EVENTS = 10


def judge(path: Path, models: Path, *, predictions: Path | None) -> dict[str, Any]:
    """Print and return the performance of both fitted models on the file; write one line per row and outcome.

    Rows outside the models' population (children, no age, an operation the models do not know) keep their line,
    with empty probabilities, and are counted.
    """
    operations = surgery_timing.read_operations(path)
    figures, lines = {}, []
    for model, outcome in MODELS.items():
        session = _session(models, outcome, model)
        known, masked = (_predicted(session, operations, asa=asa) for asa in (True, False))
        figures[outcome] = _figures(operations, outcome, known, masked)
        lines.append((outcome, _by_row(operations, known), _by_row(operations, masked)))
    report = {
        "file": path.name,
        "rows": operations.rows,
        "left_out": operations.excluded,
        "columns_absent": list(operations.absent),
        "outcomes": figures,
    }
    print(json.dumps(report, indent=1))  # noqa: T201 (a command prints)
    if predictions is not None:
        _write(predictions, operations.rows, lines)
    return report


def _session(models: Path, outcome: str, model: str) -> onnxruntime.InferenceSession:
    newest = sorted((models / outcome / model).iterdir(), key=lambda folder: [int(n) for n in folder.name.split(".")])[
        -1
    ]
    return open_session((newest / "model.onnx").read_bytes())


def _predicted(session: onnxruntime.InferenceSession, operations: Operations, *, asa: bool) -> Matrix:
    """Probabilities of the shipped graph; NaN for an operation that it does not know."""
    levels = json.loads(session.get_modelmeta().custom_metadata_map["ccs_levels"])
    rows = operations.matrix(())
    rows[:, 0] = [levels.get(category, np.nan) for category in operations.ccs]
    classes = np.append(ASA_CLASS, np.nan)
    level = np.where(np.isnan(operations.asa), len(ASA_CLASS), operations.asa).astype(int)
    rows[:, 3] = classes[level] if asa else np.nan
    return np.asarray(session.run(["probability"], {"X": rows})[0][:, 0])


def _figures(operations: Operations, outcome: str, known: Matrix, masked: Matrix) -> dict[str, Any]:
    y = operations.outcomes[outcome]
    figures: dict[str, Any] = {"unknown_operation": int(np.isnan(known).sum())}
    for name, rows in (("all operations", np.ones(len(y), dtype=bool)), ("spine operations", operations.spine)):
        for asa, p in (("with ASA class", known), ("ASA class masked", masked)):
            usable = rows & ~np.isnan(p) & ~np.isnan(y)
            if np.isnan(y).all():
                figures[f"{name}, {asa}"] = f"the file does not tell this outcome ({surgery_timing.OUTCOMES[outcome]})"
            elif asa == "with ASA class" and np.isnan(operations.asa).all():
                figures[f"{name}, {asa}"] = "the file does not tell the ASA class"
            elif y[usable].sum() < FEWEST_EVENTS:
                figures[f"{name}, {asa}"] = f"fewer than {FEWEST_EVENTS} events"
            else:
                figures[f"{name}, {asa}"] = metrics.summary(y[usable], p[usable])
    return figures


def _by_row(operations: Operations, p: Matrix) -> Matrix:
    out = np.full(operations.rows, np.nan)
    out[operations.row] = p
    return out


def _write(path: Path, rows: int, lines: list[tuple[str, Matrix, Matrix]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "outcome", "probability", "probability_without_asa"])
        for row in range(rows):
            for outcome, known, masked in lines:
                told = ["" if np.isnan(p[row]) else f"{p[row]:.10g}" for p in (known, masked)]
                writer.writerow([row, outcome, *told])
