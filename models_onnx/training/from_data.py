"""What needs the data: fits, their evaluation, and the peer figures; everything else is made from what these write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models_onnx.training import evaluation, fitting, peer_figures, surgery_timing
from models_onnx.training.served import FITTED, save


def learn(data: Path, directory: Path, fitted: Path = FITTED) -> None:
    """Fit and evaluate both models on the operations in `data`; write coefficients, figures and peers, no rows."""
    operations = surgery_timing.read_operations(data)
    categories = tuple(sorted(set(operations.ccs)))
    x = operations.matrix(categories)
    for name, outcome in surgery_timing.MODELS.items():
        document, parameters = evaluation.evaluate(operations, outcome, categories)
        y = operations.outcomes[outcome]
        design = fitting.design(categories)
        model = fitting.fit(x, y, design=design, parameters=parameters, covariance=True)
        save(model, categories, fitted / f"{name}.json", {"fitted_on": surgery_timing.CITATION})
        write_json(fitted / f"{name}.evaluation.json", document)
    peer_figures.write(operations, directory)


def write_json(path: Path, document: dict[str, Any]) -> None:
    """One member per line, lists of figures one entry per line."""
    members = []
    for key, value in document.items():
        rows = isinstance(value, list) and value and isinstance(value[0], dict | list)
        text = "[\n  " + ",\n  ".join(json.dumps(row) for row in value) + "\n ]" if rows else json.dumps(value)
        members.append(f" {json.dumps(key)}: {text}")
    path.write_text("{\n" + ",\n".join(members) + "\n}\n", encoding="utf-8")
