"""Small graphs, good and bad, and folders that hold them; a test states only what is wrong with its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

from models_onnx.added import example

NAMES = ("age", "asa_class", "haemoglobin", "heart_failure")
FREE = "rows"


def node(operator: str, reads: Sequence[str], gives: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(operator, list(reads), list(gives), **attributes)


def constant(name: str, values: Any, kind: Any = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=kind), name)


def port(name: str, *shape: Any, elements: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, elements, list(shape))


def graph(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
    *,
    inputs: Sequence[onnx.ValueInfoProto] = (),
    outputs: Sequence[onnx.ValueInfoProto] = (),
) -> bytes:
    """A whole model; of one table with a column for each of NAMES, to one probability, where nothing else is said."""
    made = helper.make_graph(
        list(nodes), "g", list(inputs or [port("X", FREE, len(NAMES))]), list(outputs or [port("p", FREE, 1)]),
        initializer=list(constants),
    )  # fmt: skip
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(made, opset_imports=versions, ir_version=9).SerializeToString()


WEIGHTS = constant("w", [[0.02], [0.5], [-0.45], [0.4]])
BIAS = constant("b", [1.0])


def logistic(*, after: Sequence[onnx.NodeProto] = (), weights: onnx.TensorProto = WEIGHTS) -> bytes:
    """An additive graph; `after` makes p of s, the probability."""
    tail = after or [node("Identity", ["s"], ["p"])]
    nodes = [node("Gemm", ["X", "w", "b"], ["z"]), node("Sigmoid", ["z"], ["s"]), *tail]
    return graph(nodes, [weights, BIAS])


def crossed() -> bytes:
    """A graph that is not additive: age counts twice as much with heart failure. Its inputs come by name."""
    nodes = [
        node("Mul", ["age", "heart_failure"], ["both"]),
        node("Sum", ["age", "both", "asa_class"], ["sum"]),
        node("Sub", ["sum", "haemoglobin"], ["less"]),
        node("Mul", ["less", "k"], ["z"]),
        node("Sub", ["z", "three"], ["z3"]),
        node("Sigmoid", ["z3"], ["p"]),
    ]
    return graph(
        nodes,
        [constant("k", [0.02]), constant("three", [3.0])],
        inputs=[port(name, FREE, 1) for name in NAMES],
    )


def one(**values: Any) -> dict[str, Any]:
    return {"age": 60.0, "asa_class": 2.0, "haemoglobin": 13.0, "heart_failure": False} | values


# Of a graph that is not asked here: it cannot be, or would take the memory of this process.
NOT_ASKED = {"examples": [{"inputs": one(), "probability": 0.5}]}


def answers(content: bytes, people: Sequence[dict[str, Any]]) -> list[float]:
    """What a graph says, asked without our own code."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    rows = np.array([[float(person[name]) for name in NAMES] for person in people], dtype=np.float32)
    inputs = session.get_inputs()
    feed = (
        {inputs[0].name: rows} if len(inputs) == 1 else {one.name: rows[:, [NAMES.index(one.name)]] for one in inputs}
    )
    told = session.run(None, feed)[-1]
    return [float(each[-1]) for each in told]


def folder(at: Path, content: bytes | None = None, **members: Any) -> Path:
    """The folder of `models new` with another graph, and members of model.yaml changed; None takes one away."""
    made = example.written(at, "bleeding")
    card = yaml.safe_load((made / "model.yaml").read_text(encoding="utf-8"))
    if content is not None:
        (made / "model.onnx").write_bytes(content)
        card["output"] = None
    if content is not None and "examples" not in members:
        people = [one(), one(age=80, haemoglobin=9.5, heart_failure=True)]
        told = answers(content, people)
        card["examples"] = [{"inputs": p, "probability": figure} for p, figure in zip(people, told, strict=True)]
    card |= members
    kept = {name: value for name, value in card.items() if value is not None}
    (made / "model.yaml").write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    return made
