"""The exporter: parity, exact sums, and the same bytes every time."""

from __future__ import annotations

import filecmp
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_onnx.model_card import ModelError
from models_onnx.registry import PACKAGE
from models_onnx.sessions import open_session
from models_onnx.training.__main__ import export, exports
from models_onnx.training.export import PARITY, check_parity, compare_stack, probes
from models_onnx.training.graph import single, stacked

EXPORTS = exports()
BY_NAME = pytest.mark.parametrize("one", EXPORTS, ids=[one.model.name for one in EXPORTS])


@BY_NAME
def test_graph_and_estimator_agree_with_values_missing_and_far_out_of_range(one) -> None:
    rows = probes(one.model)
    assert np.isnan(rows).any()
    assert check_parity(one, single(one.model)) <= PARITY


@BY_NAME
def test_a_graph_that_differs_from_its_estimator_is_not_written(one) -> None:
    wrong = replace(one, model=replace(one.model, base=one.model.base + 2e-6))
    with pytest.raises(ModelError, match="graph and estimator"):
        check_parity(wrong, single(wrong.model))


def test_the_stack_is_bit_identical_to_the_single_graphs() -> None:
    models = [one.model for one in EXPORTS]
    features = list(dict.fromkeys(name for model in models for name in model.inputs))
    compare_stack(models, features, open_session(stacked(models, features, [])))


def test_a_rebuild_gives_the_same_bytes(tmp_path: Path) -> None:
    export(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) == 3 * len(EXPORTS) + 2
    for name in made:
        assert filecmp.cmp(tmp_path / name, PACKAGE / name, shallow=False), (
            f"{name}: run python -m models_onnx.training"
        )


def test_graphs_have_the_opset_and_ir_that_onnxruntime_reads() -> None:
    import onnx

    for path in PACKAGE.rglob("*.onnx"):
        graph = onnx.load(path)
        assert (graph.ir_version, [entry.version for entry in graph.opset_import]) == (10, [18])
