"""A folder of models in which one has a second version, made by the same export as those that are served."""

from __future__ import annotations

import copy
import hashlib
import shutil
from pathlib import Path

import msgspec

from models_onnx.registry import PACKAGE
from models_onnx.training import golden
from models_onnx.training.__main__ import exports
from models_onnx.training.export import Export, card, card_bytes, check_parity, write_stack
from models_onnx.training.graph import single


def a_folder_with_second_version(
    target: Path, model: str = "sort-2014", *, version: str = "1.1.0", higher: float = 0.5, state: str = "challenger"
) -> Path:
    """The package's models, and beside `model` a version whose logit is `higher`, in this state."""
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    made = exports()
    first = next(export for export in made if export.model.name == model)
    second = _shifted(first, version, higher)
    members = [_member(export.model.name, PACKAGE) for export in made]
    members.append(_written(second, version, target))
    write_stack([*made, second], members, target)
    registry = target / "registry.yaml"
    line = f"- {{model: {model}, version: {version}, state: {state}}}\n"
    registry.write_text(registry.read_text(encoding="utf-8") + line, encoding="utf-8")
    return target


def _shifted(first: Export, version: str, higher: float) -> Export:
    estimator = copy.copy(first.estimator)
    estimator.intercept = first.estimator.intercept + higher
    return Export(
        estimator.additive_model(first.model.name, version),
        estimator,
        outside=first.outside,
        not_graded=first.not_graded,
    )


def _member(model: str, directory: Path) -> dict[str, str]:
    graph = next(directory.glob(f"*/{model}/1.0.0/model.onnx")).read_bytes()
    return {"model": model, "version": "1.0.0", "sha256": hashlib.sha256(graph).hexdigest()}


def _written(export: Export, version: str, directory: Path) -> dict[str, str]:
    graph = single(export.model)
    check_parity(export, graph)
    sha256 = hashlib.sha256(graph).hexdigest()
    made = msgspec.structs.replace(card(export, sha256), version=version)
    folder = directory / made.outcome / made.name / version
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph)
    (folder / "card.yaml").write_bytes(card_bytes(made))
    people = golden.cases(made, {}, golden.examples(made.name))
    (folder / "golden_scores.json").write_bytes(golden.document(made, export.estimator, people))
    return {"model": made.name, "version": version, "sha256": sha256}
