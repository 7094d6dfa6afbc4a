"""What is served is what its source gives, on any processor; and what would not be is seen."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from models_onnx import manifest
from models_onnx.registry import PACKAGE, load
from models_onnx.training.__main__ import export
from models_onnx.training.surgery_timing import MODELS
from tests.models_onnx.training.rebuilt import ROOT, close, differences, doubles, graphs, taken_apart

FITTED = tuple(MODELS)
DEATH = "30-day-death/elective-death/1.0.0"
LEAVES = "found.leaf_weights"
SORT = "30-day-death/sort-2014/1.0.0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    export(folder)
    return folder


@pytest.fixture
def a_copy(tmp_path: Path, made: Path) -> Path:
    """What is shipped, beside nothing else."""
    for name in (path.relative_to(made) for path in made.rglob("*") if path.is_file()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / name, tmp_path / name)
    shutil.copyfile(PACKAGE / "peers.yaml", tmp_path / "peers.yaml")
    return tmp_path


def test_a_rebuild_gives_what_is_shipped(made: Path) -> None:
    files = [path for path in made.rglob("*") if path.is_file()]
    assert len(files) == 3 * len(list(made.rglob("card.yaml"))) + len(FITTED) + 3
    assert differences(made, PACKAGE, FITTED) == [], "run python -m models_onnx.training export"


def test_what_was_made_here_is_itself_without_a_difference(made: Path) -> None:
    assert differences(made, made, FITTED) == []


def test_what_was_made_here_is_served(made: Path, tmp_path: Path) -> None:
    """sha256 and golden scores hold for an export of any processor."""
    served = shutil.copytree(made, tmp_path / "served")
    for name in ("registry.yaml", "peers.yaml"):
        shutil.copyfile(PACKAGE / name, served / name)
    manifest.write(served)
    assert len(load(served, class_b=True).cards) == len(load(class_b=True).cards)


def rehash(models: Path) -> None:
    """Tell every sha256 anew, so that nothing but the change itself is left to be seen."""
    text = (models / "stacked.json").read_text(encoding="utf-8")
    stack = onnx.load(models / "stacked.onnx")
    for card in models.glob("*/*/*/card.yaml"):
        old = next(line[8:] for line in card.read_text(encoding="utf-8").splitlines() if line.startswith("sha256: "))
        new = sha256(card.with_name("model.onnx"))
        replace(card, old, new)
        text = text.replace(old, new)
        for entry in stack.metadata_props:
            entry.value = entry.value.replace(old, new)
    (models / "stacked.onnx").write_bytes(stack.SerializeToString(deterministic=True))
    (models / "stacked.json").write_text(
        text.replace(json.loads(text)["sha256"], sha256(models / "stacked.onnx")), encoding="utf-8"
    )
    manifest.write(models)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changed(path: Path, name: str, place: int, by: float) -> bytes:
    """A graph with one number of one tensor multiplied by 1 + `by`."""
    model = onnx.load(path)
    tensor = dict(doubles(model))[name]
    numbers = numpy_helper.to_array(tensor).copy()
    numbers.flat[place] *= 1 + by
    tensor.raw_data = numbers.tobytes()
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def telling(name: str, numbers: NDArray[np.float64]) -> list[int]:
    """The places of the numbers that a probability could feel: neither zero nor the noise of a zero."""
    if name == ROOT:  # in each row the largest, where the row itself is no noise
        rows = np.flatnonzero(np.linalg.norm(numbers, axis=1) > 1e-9)
        return [int(row * numbers.shape[1] + np.abs(numbers[row]).argmax()) for row in rows]
    return [int(place) for place in np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) > 1e-8))]


@pytest.mark.parametrize("model", FITTED)
def test_every_number_that_is_one_part_in_ten_thousand_off_is_seen(model: str, made: Path) -> None:
    """Against the graph made here, so that it is seen on any processor."""
    _, _, numbers = taken_apart(next(made.glob(f"*/{model}/1.0.0/model.onnx")).read_bytes())
    _, _, shipped = taken_apart(next(PACKAGE.glob(f"*/{model}/1.0.0/model.onnx")).read_bytes())
    assert set(numbers) == {LEAVES, ROOT, "found.nodes_splits", "low", "exponents"}
    for name, ours in shipped.items():
        places = telling(name, ours)
        assert len(places) >= 4
        for place, by in itertools.product(places, (1e-4, -1e-4)):
            other = ours.copy()
            other.flat[place] *= 1 + by
            assert not close(name, numbers[name], other), (name, place)


@pytest.mark.parametrize("model", FITTED)
@pytest.mark.parametrize("name", [LEAVES, ROOT])
def test_a_number_that_is_off_in_a_last_digit_is_another_processor_s(model: str, name: str, made: Path) -> None:
    path = next(made.glob(f"*/{model}/1.0.0/model.onnx"))
    _, _, numbers = taken_apart(path.read_bytes())
    other = changed(path, name, telling(name, numbers[name])[0], 1e-11)
    assert other != path.read_bytes()
    assert list(graphs(path.read_bytes(), other, root=True)) == []


def stretched(path: Path, name: str) -> None:
    """One number of a tensor is off by one part in ten thousand."""
    _, _, numbers = taken_apart(path.read_bytes())
    tensor = next(one for one in numbers if one.endswith(name))
    path.write_bytes(changed(path, tensor, telling(tensor, numbers[tensor])[-1], 1e-4))


def another_score(models: Path, folder: str) -> None:
    path = models / folder / "golden_scores.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    golden["cases"][0]["expected"]["logit"] *= 1 + 1e-4
    path.write_text(json.dumps(golden), encoding="utf-8")


def another_input(models: Path) -> None:
    replace(models / DEATH / "card.yaml", "- name: bmi", "- name: bsa")


def another_column(models: Path) -> None:
    path = models / DEATH / "model.onnx"
    model = onnx.load(path)
    for entry in model.metadata_props:
        entry.value = entry.value.replace('"bmi"', '"bsa"')
    path.write_bytes(model.SerializeToString(deterministic=True))


def another_node(models: Path) -> None:
    path = models / DEATH / "model.onnx"
    model = onnx.load(path)
    next(node for node in model.graph.node if node.op_type == "Sigmoid").op_type = "Tanh"
    path.write_bytes(model.SerializeToString(deterministic=True))


def no_longer_made(models: Path) -> None:
    shutil.copytree(models / SORT, models / "30-day-death" / "sort-2011" / "1.0.0")


CHANGES: dict[str, Callable[[Path], None]] = {
    "a coefficient of a fitted model": lambda models: stretched(models / DEATH / "model.onnx", "leaf_weights"),
    "a coefficient of a published model": lambda models: stretched(models / SORT / "model.onnx", "leaf_weights"),
    "a coefficient of the stack": lambda models: stretched(models / "stacked.onnx", "leaf_weights"),
    "a covariance of a fitted model": lambda models: stretched(models / DEATH / "model.onnx", ROOT),
    "a covariance of the stack": lambda models: stretched(models / "stacked.onnx", ROOT),
    "a golden score of a fitted model": lambda models: another_score(models, DEATH),
    "a golden score of a published model": lambda models: another_score(models, SORT),
    "an input of a card": another_input,
    "an input of a graph": another_column,
    "a node of a graph": another_node,
    "a text of a fitted card": lambda models: replace(models / DEATH / "card.yaml", "any cause", "all causes"),
    "a text of a published card": lambda models: replace(models / SORT / "card.yaml", "30 days", "31 days"),
    "a cut-point of a card": lambda models: replace(models / DEATH / "card.yaml", "- 4.0\n", "- 4.001\n"),
    "a figure of an evaluation": lambda models: replace(models / DEATH / "evaluation.json", "25428", "25429"),
    "a place in the stack": lambda models: replace(models / "stacked.json", '"probability": 102', '"probability": 103'),
    "the order of the stack": lambda models: replace(models / "stacked.json", '"age"', '"sex"'),
    "a graph that is gone": lambda models: (models / DEATH / "model.onnx").unlink(),
    "golden scores that are gone": lambda models: (models / SORT / "golden_scores.json").unlink(),
    "a stack that is gone": lambda models: (models / "stacked.json").unlink(),
    "a model that is no longer made": no_longer_made,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_changed_or_forgot_to_export_is_seen(change: str, made: Path, a_copy: Path) -> None:
    assert differences(made, a_copy, FITTED) == []
    CHANGES[change](a_copy)
    if all((a_copy / path.relative_to(made)).is_file() for path in made.rglob("*") if path.is_file()):
        rehash(a_copy)
    assert differences(made, a_copy, FITTED) != []


def test_a_manifest_that_was_not_written_anew_is_seen(made: Path, a_copy: Path) -> None:
    (a_copy / "peers.yaml").write_text("{}", encoding="utf-8")
    assert differences(made, a_copy, FITTED) == ["manifest.json: other files, or another sha256 of one"]


@pytest.mark.parametrize("name", [f"{DEATH}/card.yaml", f"{SORT}/card.yaml", "stacked.json"])
def test_a_hash_that_was_not_told_anew_is_seen(name: str, made: Path, a_copy: Path) -> None:
    """Hashes are not compared with those of the graphs made here, but with the graphs that lie beside them."""
    path = a_copy / name
    path.write_text(
        path.read_text(encoding="utf-8").replace("sha256: ", "sha256: 0").replace('"sha256": "', '"sha256": "0')
    )
    manifest.write(a_copy)
    assert differences(made, a_copy, FITTED) != []
