"""What a graph that a site adds may hold: operators and sizes, told from its bytes alone.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Operators: allowed_operators.yaml.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from models_onnx import data_files
from models_onnx.added.protobuf_fields import MessageError, fields, message, text
from models_onnx.model_card import ModelError

MOST_BYTES = 16 * 1024 * 1024
MOST_NODES = 2_000

ALLOWED = data_files.read_yaml(Path(__file__).with_name("allowed_operators.yaml"), dict[str, frozenset[str]])
# ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto: the members that are read.
_GRAPH, _TRAINING, _FUNCTIONS = 7, 20, 25
_NODE, _INITIALIZER, _SPARSE = 1, 5, 15
_NODE_INPUT, _OPERATOR, _ATTRIBUTE, _DOMAIN = 1, 4, 5, 7
_A_TENSOR, _A_GRAPH, _TENSORS, _GRAPHS, _A_SPARSE, _SPARSES = 5, 6, 10, 11, 22, 23
_EXTERNAL, _LOCATION = 13, 14
# What onnxruntime takes for its own format, whatever else the bytes are:
# https://onnxruntime.ai/docs/performance/model-optimizations/ort-format-models.html
_OTHER_FORMAT = b"ORTM"
_TRAINS = 2  # the place of Dropout's input that makes it draw at random


class GraphRefusedError(ModelError):
    """A graph that is not opened; the message says what in it is not allowed, and what to do."""


class GraphContent(msgspec.Struct, frozen=True):
    """What a graph consists of: how many nodes, and of which operators."""

    nodes: int
    operators: tuple[str, ...]


def check(content: bytes) -> GraphContent:
    """What a graph consists of that may be opened. Raises GraphRefusedError; linear in the length."""
    if len(content) > MOST_BYTES:
        raise GraphRefusedError(f"model.onnx has {len(content):,} bytes; at most {MOST_BYTES:,} are opened")
    if content[4:8] == _OTHER_FORMAT:
        raise GraphRefusedError(
            "model.onnx is in onnxruntime's own format, which cannot be looked into; export to ONNX"
        )
    try:
        return _content(_graph(memoryview(content)))
    except MessageError as error:
        raise GraphRefusedError("model.onnx is no ONNX file") from error


def _graph(content: memoryview) -> memoryview:
    found = None
    for number, value in fields(content):
        if number == _FUNCTIONS:
            raise GraphRefusedError("model.onnx defines functions of its own; export it with these inlined")
        if number == _TRAINING:
            raise GraphRefusedError("model.onnx holds training information; export it for inference")
        if number == _GRAPH and found is not None:
            raise GraphRefusedError("model.onnx holds two graphs")
        found = message(value) if number == _GRAPH else found
    if found is None:
        raise GraphRefusedError("model.onnx is no ONNX file: it holds no graph")
    return found


def _content(graph: memoryview) -> GraphContent:
    operators: set[str] = set()
    nodes = 0
    for number, value in fields(graph):
        if number == _NODE:
            nodes += 1
            if nodes > MOST_NODES:
                raise GraphRefusedError(f"model.onnx has more than {MOST_NODES:,} nodes")
            operators.add(_operator(message(value)))
        elif number == _INITIALIZER:
            _refuse_elsewhere(message(value))
        elif number == _SPARSE:
            raise GraphRefusedError("model.onnx holds sparse tensors; export it with dense ones")
    if not nodes:
        raise GraphRefusedError("model.onnx is no ONNX file: its graph holds no node")
    return GraphContent(nodes, tuple(sorted(operators)))


def _operator(node: memoryview) -> str:
    """The operator of a node; every tensor in it is looked at."""
    name, domain, read = "", "", []
    for number, value in fields(node):
        if number == _NODE_INPUT:
            read.append(text(value))
        elif number == _OPERATOR:
            name = text(value)
        elif number == _DOMAIN:
            domain = text(value)
        elif number == _ATTRIBUTE:
            _attribute(message(value))
    if name not in ALLOWED.get(domain or "ai.onnx", ()):
        raise GraphRefusedError(f"operator {_plain(name)} of {_plain(domain) or 'ai.onnx'} is not allowed")
    if name == "Dropout" and any(read[_TRAINS:]):
        raise GraphRefusedError("operator Dropout would draw at random; export the model for inference")
    return name


def _attribute(attribute: memoryview) -> None:
    for number, value in fields(attribute):
        if number in (_A_GRAPH, _GRAPHS):
            raise GraphRefusedError("a node holds a graph of its own")
        if number in (_A_SPARSE, _SPARSES):
            raise GraphRefusedError("model.onnx holds sparse tensors; export it with dense ones")
        if number in (_A_TENSOR, _TENSORS) and not isinstance(value, int):
            _refuse_elsewhere(value)


def _refuse_elsewhere(tensor: memoryview) -> None:
    """A tensor lies in this file, or the graph is refused."""
    for number, value in fields(tensor):
        if number == _EXTERNAL or (number == _LOCATION and value != 0):
            raise GraphRefusedError("model.onnx keeps data in another file; export it in one file")


def _plain(name: str) -> str:
    """A name from foreign bytes, fit to be printed."""
    return "".join(letter for letter in name[:60] if letter.isalnum() or letter in "._-")
