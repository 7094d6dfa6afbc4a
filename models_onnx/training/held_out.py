"""Models that never saw the operations they are asked about: everything served, refitted on the other folds."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models_onnx import data_files, registry
from models_onnx.registry import PACKAGE, Registry
from models_onnx.training import fitting, peer_figures, surgery_timing
from models_onnx.training.__main__ import VERSION, exports
from models_onnx.training.export import Export, write, write_stack
from models_onnx.training.served import FITTED, ServedClassifier
from models_onnx.training.surgery_timing import Operations

FOLDS = 5
Rows = NDArray[np.int64]


def subset(operations: Operations, rows: Rows) -> Operations:
    """Some of the operations."""
    columns: dict[str, Any] = {
        field.name: value[rows]
        for field in dataclasses.fields(operations)
        if isinstance(value := getattr(operations, field.name), np.ndarray)
    }
    outcomes = {name: happened[rows] for name, happened in operations.outcomes.items()}
    return dataclasses.replace(operations, **columns, outcomes=outcomes)


def splits(operations: Operations) -> Iterator[tuple[Rows, Rows]]:
    """Training and held-out rows, stratified by complication; the same in every run."""
    outcome = operations.outcomes["any-complication"]
    for train, test in fitting.folds(operations.matrix(()), outcome, FOLDS, fitting.SEED):
        yield train.astype(np.int64), test.astype(np.int64)


def models(operations: Operations, train: Rows, directory: Path) -> Registry:
    """Every served model, the fitted ones and the usual figures from `train` alone, read as the service reads them.

    The penalties are the shipped ones (from_data.py chose them inside folds, evaluation.json tells how alike).
    """
    known = subset(operations, train)
    categories = tuple(sorted(set(operations.ccs)))
    made = [_refitted(one, known, categories) if one.evaluation else one for one in exports()]
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACKAGE / "registry.yaml", directory)
    peer_figures.write(known, directory)
    write_stack(made, [write(one, directory) for one in made], directory)
    return registry.load(directory)


def _refitted(shipped: Export, known: Operations, categories: tuple[str, ...]) -> Export:
    name = shipped.model.name
    parameters = data_files.read_json(FITTED / f"{name}.evaluation.json", dict)["parameters"]
    happened = known.outcomes[surgery_timing.MODELS[name]]
    design = fitting.design(categories)
    fitted = fitting.fit(known.matrix(categories), happened, design=design, parameters=parameters, covariance=True)
    served = ServedClassifier(fitted, categories).fit()
    return dataclasses.replace(shipped, model=served.additive_model(name, VERSION), estimator=served)
