"""Whether the models that are served are those that their source gives, told on any processor (docs/models.md).

Where nothing is fitted the bytes are the same. Of the fitted models every number is held within the tolerance below,
every text, name and shape exactly, and each sha256 against the file beside it instead of against the one made anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from numpy.typing import NDArray
from onnx import numpy_helper

from models_onnx import manifest

RELATIVE = 1e-9
ABSOLUTE = 1e-12
# The covariance root L is determined only up to noise in its empty directions; L·Lᵀ, by which it is used, is.
ROOT, ROOT_NOISE = "se_table", 1e-10
EXACT = ("evaluation.json", "model.onnx", "card.yaml")
HASH = "sha256"

Numbers = dict[str, NDArray[np.float64]]


def differences(made: Path, shipped: Path, fitted: Sequence[str]) -> list[str]:
    """What of `shipped` is not what was `made` anew, one line each; `fitted` names the models that were fitted."""
    names = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    found = [f"{name}: missing" for name in names if not (shipped / name).is_file()]
    found += [f"{folder}: no longer made" for folder in sorted(_folders(shipped) - _folders(made))]
    if found:
        return found
    for name in names:
        if name.name != manifest.NAME and (made / name).read_bytes() != (shipped / name).read_bytes():
            found += [f"{name}: {told}" for told in _compared(made / name, shipped / name, fitted)]
    return [*found, *_hashes(shipped), *_stacked_roots(shipped)]


def _folders(models: Path) -> set[Path]:
    return {path.parent.relative_to(models) for path in models.glob("*/*/*/card.yaml")}


def _compared(made: Path, shipped: Path, fitted: Sequence[str]) -> Iterator[str]:
    """Two files of the same name whose bytes differ."""
    name = made.name
    if name == "evaluation.json" or (name in EXACT and made.parts[-3] not in fitted):
        yield "other bytes"
    elif made.suffix == ".onnx":
        yield from graphs(made.read_bytes(), shipped.read_bytes(), root=name != "stacked.onnx")
    else:
        one, other = (_read(path) for path in (made, shipped))
        yield from values(one, other, name)


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)


def values(one: Any, other: Any, place: str) -> Iterator[str]:
    """Where two documents differ: texts, names and order exactly, numbers within the tolerance, no sha256."""
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            yield f"{place}: other members"
        for key in one.keys() & other.keys() - {HASH}:
            yield from values(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{place}: {len(other)} entries instead of {len(one)}"
        for number, pair in enumerate(zip(one, other, strict=False)):
            yield from values(*pair, f"{place}[{number}]")
    elif not _same(one, other):
        yield f"{place}: {other!r} instead of {one!r}"


def _same(one: Any, other: Any) -> bool:
    if type(one) is float and type(other) is float:
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(one) is type(other) and bool(one == other)


def graphs(made: bytes, shipped: bytes, *, root: bool) -> Iterator[str]:
    """Where two graphs differ: nodes, names, shapes and whole numbers exactly, doubles within the tolerance.

    Without `root` the covariance root is left to `_stacked_roots`: in the stack, rows of several models stand in it,
    and a product of one model's with another's means nothing.
    """
    (rest, facts, numbers), (other_rest, other_facts, others) = (taken_apart(content) for content in (made, shipped))
    if rest != other_rest:
        yield "another graph"
        return
    yield from values(facts, other_facts, "metadata")
    for name, one in numbers.items():
        if (root or name != ROOT) and not close(name, one, others[name]):
            yield f"{name}: another number"


def taken_apart(content: bytes) -> tuple[bytes, dict[str, Any], Numbers]:
    """A graph without its doubles and its metadata, its metadata as values, and its doubles by name."""
    model = onnx.load_from_string(content)
    facts = {entry.key: _fact(entry.value) for entry in model.metadata_props}
    del model.metadata_props[:]
    numbers: Numbers = {}
    for name, tensor in doubles(model):
        numbers[name] = numpy_helper.to_array(tensor).copy()
        tensor.ClearField("raw_data")
    return model.SerializeToString(deterministic=True), facts, numbers


def doubles(model: Any) -> Iterator[tuple[str, Any]]:
    """Every tensor of doubles by its name: constants of the graph, and those inside its nodes."""
    tensors = [(tensor.name, tensor) for tensor in model.graph.initializer]
    tensors += [(f"{node.name}.{entry.name}", entry.t) for node in model.graph.node for entry in node.attribute]
    return ((name, tensor) for name, tensor in tensors if tensor.data_type == onnx.TensorProto.DOUBLE)


def _fact(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def close(name: str, one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two tensors of this name hold the same numbers within the tolerance."""
    if name == ROOT:
        return _same_root(one, other)
    return one.shape == other.shape and np.allclose(other, one, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)


def _same_root(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether the rows of two roots give the same covariances."""
    lengths = np.linalg.norm(one, axis=1)
    allowed = RELATIVE * np.outer(lengths, lengths) + ROOT_NOISE * np.add.outer(lengths, lengths) + ABSOLUTE**2
    return bool((np.abs(other @ other.T - one @ one.T) <= allowed).all())


def _stacked_roots(shipped: Path) -> Iterator[str]:
    """The stack holds the root of every fitted graph, equal rows once, to the last bit."""
    members = _read(shipped / "stacked.json")["members"]
    alone = [row for member in members for row in _roots(_graph_of(member, shipped))]
    if _roots(shipped / "stacked.onnx") != list(dict.fromkeys(alone)):
        yield "stacked.onnx: other standard errors than the single graphs"


def _roots(path: Path) -> list[bytes]:
    """The rows of a graph's covariance root; none where it tells no standard error."""
    table = dict(doubles(onnx.load(path))).get(ROOT)
    return [] if table is None else [row.tobytes() for row in numpy_helper.to_array(table)]


def _hashes(shipped: Path) -> Iterator[str]:
    """Every sha256 that is told is that of the file it is told of."""
    if _read(shipped / manifest.NAME) != manifest.files(shipped):
        yield f"{manifest.NAME}: other files, or another sha256 of one"
    stack = _read(shipped / "stacked.json")
    told = [(path, _read(path)[HASH], path.with_name("model.onnx")) for path in sorted(shipped.glob("*/*/*/card.yaml"))]
    told.append((shipped / "stacked.json", stack[HASH], shipped / "stacked.onnx"))
    for name, members in (("json", stack["members"]), ("onnx", _members(shipped / "stacked.onnx"))):
        told += [(shipped / f"stacked.{name}", member[HASH], _graph_of(member, shipped)) for member in members]
    for teller, sha256, path in told:
        if sha256 != hashlib.sha256(path.read_bytes()).hexdigest():
            yield f"{teller.relative_to(shipped)}: another sha256 than that of {path.relative_to(shipped)}"


def _members(stack: Path) -> list[dict[str, str]]:
    """The graphs that the stack says it was made from."""
    facts = {entry.key: entry.value for entry in onnx.load(stack).metadata_props}
    found: list[dict[str, str]] = json.loads(facts["members"])
    return found


def _graph_of(member: dict[str, str], models: Path) -> Path:
    return next(models.glob(f"*/{member['model']}/{member['version']}/model.onnx"))
