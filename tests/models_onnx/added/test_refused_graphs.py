"""A graph that nobody vouches for is refused before it is opened, or by its trial in a process of its own."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models_onnx.added import allowed_graph, apart, probe
from models_onnx.added.allowed_graph import GraphRefusedError
from models_onnx.model_card import ModelError
from tests.models_onnx.added import graphs
from tests.models_onnx.added.graphs import FREE, NAMES, NOT_ASKED, constant, graph, node, port


def with_operator(operator: str, domain: str = "") -> bytes:
    return graph([node(operator, ["X"], ["p"], domain=domain)])


def changed(change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.ModelProto.FromString(graphs.logistic())
    change(model)
    return model.SerializeToString()


def elsewhere(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def elsewhere_in_a_constant(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    model.graph.node.append(helper.make_node("Constant", [], ["t"], value=tensor))


def a_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f", domain="own")


def a_graph_inside(model: onnx.ModelProto) -> None:
    model.graph.node[-1].attribute.append(helper.make_attribute("body", helper.make_graph([], "inside", [], [])))


def sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def a_random_dropout(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(constant("yes", True, np.bool_))
    model.graph.initializer.append(constant("half", 0.5))
    model.graph.node[-1].CopyFrom(helper.make_node("Dropout", ["s", "half", "yes"], ["p"]))


def many_nodes(model: onnx.ModelProto) -> None:
    for _ in range(allowed_graph.MOST_NODES):
        model.graph.node.append(helper.make_node("Identity", ["s"], ["q"]))


UNSEEN = [
    (with_operator("NoSuchThing"), "operator NoSuchThing of ai.onnx is not allowed"),
    (with_operator("ConstantOfShape"), "operator ConstantOfShape of ai.onnx is not allowed"),
    (with_operator("RandomUniformLike"), "operator RandomUniformLike of ai.onnx"),
    (with_operator("Loop"), "operator Loop"),
    (with_operator("Relu", "com.microsoft"), "operator Relu of com.microsoft is not allowed"),
    (with_operator("Relu", "ai.onnx.ml"), "operator Relu of ai.onnx.ml is not allowed"),
    (changed(elsewhere), "keeps data in another file"),
    (changed(elsewhere_in_a_constant), "keeps data in another file"),
    (changed(a_function), "defines functions of its own"),
    (changed(a_graph_inside), "holds a graph of its own"),
    (changed(sparse), "sparse tensors"),
    (changed(a_random_dropout), "operator Dropout would draw at random"),
    (changed(many_nodes), "more than 2,000 nodes"),
    (changed(lambda model: model.training_info.add()), "training information"),
    (graphs.logistic() + graphs.logistic(), "two graphs"),
    (b"", "no ONNX file"),
    (b"not a graph at all", "no ONNX file"),
    (graphs.logistic()[:-3], "no ONNX file"),
    (b"\x0a" + b"\xff" * 9 + b"\x01", "no ONNX file"),
    (b"\x00" * (allowed_graph.MOST_BYTES + 1), "bytes; at most"),
    # Bytes that onnxruntime takes for its own format, and a reader of protobuf for a message.
    (b"\x12\x06ab" + b"ORTM" + graphs.logistic(), "onnxruntime's own format"),
]


@pytest.mark.parametrize(("content", "why"), UNSEEN, ids=[why[:40] + str(k) for k, (_, why) in enumerate(UNSEEN)])
def test_a_graph_is_refused_by_its_bytes_alone(content: bytes, why: str) -> None:
    with pytest.raises(GraphRefusedError, match=why):
        allowed_graph.check(content)


def test_a_graph_of_allowed_operators_tells_what_it_consists_of() -> None:
    found = allowed_graph.check(graphs.logistic())
    assert (found.nodes, found.operators) == (3, ("Gemm", "Identity", "Sigmoid"))


def test_every_byte_cut_off_or_turned_is_refused_or_read_and_nothing_else() -> None:
    """No other exception, and no endless loop, whatever the bytes are."""
    whole = graphs.logistic()
    broken = [whole[:length] for length in range(len(whole))]
    broken += [whole[:k] + bytes([whole[k] ^ 0xFF]) + whole[k + 1 :] for k in range(len(whole))]
    for content in broken:
        try:
            allowed_graph.check(content)
        except GraphRefusedError:
            continue


def halves(value: float) -> list[onnx.NodeProto]:
    """Nodes that make p of s by a sum with a constant."""
    return [helper.make_node("Constant", [], ["c"], value=constant("c", [value])), node("Add", ["s", "c"], ["p"])]


TWO = [port("label", FREE, elements=TensorProto.INT64), port("p", FREE, 1)]
_S = [node("Gemm", ["X", "w", "b"], ["z"]), node("Sigmoid", ["z"], ["s"])]
_OWN = [graphs.WEIGHTS, graphs.BIAS]


def by_name(*names: str) -> bytes:
    nodes = [node("Sum", names, ["z"]), node("Sigmoid", ["z"], ["p"])]
    return graph(nodes, inputs=[port(name, FREE, 1) for name in names])


def of_all_rows() -> bytes:
    nodes = [*_S, node("ReduceMean", ["s"], ["m"], axes=[0], keepdims=1), node("Mul", ["s", "m"], ["p"])]
    return graph(nodes, _OWN)


def as_large_as_a_disk() -> bytes:
    doubled = [node("Concat", [f"s{k}", f"s{k}"], [f"s{k + 1}"], axis=1) for k in range(40)]
    nodes = [*_S, node("Identity", ["s"], ["s0"]), *doubled, node("ReduceMean", ["s40"], ["p"], axes=[1], keepdims=1)]
    return graph(nodes, _OWN)


def slow() -> bytes:
    square = constant("q", np.eye(600))
    wide = constant("v", np.ones((1, 600)) / 600)
    steps = [node("MatMul", [f"t{k}", "q"], [f"t{k + 1}"]) for k in range(60)]
    nodes = [*_S, node("MatMul", ["s", "v"], ["t0"]), *steps, node("ReduceSum", ["t60", "one"], ["p"], keepdims=1)]
    return graph(nodes, [*_OWN, square, wide, constant("one", [1], np.int64)])


OPENED = [
    ("two outputs", graph([*_S, node("ArgMax", ["X"], ["label"], axis=1, keepdims=0), node("Identity", ["s"], ["p"])],
     _OWN, outputs=TWO), {}, r"2 outputs \(label, p\): say in model.yaml which one"),
    ("no such output", graphs.logistic(), {"output": {"name": "q"}}, "no output q; it has p"),
    ("the label as output", graph([*_S, node("ArgMax", ["X"], ["label"], axis=1, keepdims=0),
     node("Identity", ["s"], ["p"])], _OWN, outputs=TWO), {"output": {"name": "label"}}, "not numbers"),
    ("two columns", graph([*_S, node("Concat", ["s", "s"], ["p"], axis=1)], _OWN, outputs=[port("p", FREE, 2)]), {},
     "2 columns: say in model.yaml"),
    ("another width", graph([node("ReduceMean", ["X"], ["m"], axes=[1], keepdims=1), node("Sigmoid", ["m"], ["p"])],
     inputs=[port("X", FREE, 7)]), NOT_ASKED, "reads 7 columns, model.yaml names 4"),
    ("a missing input", by_name("age", "asa_class", "haemoglobin"), NOT_ASKED, "no input heart_failure"),
    ("a strange input", by_name(*NAMES, "shoe_size"), NOT_ASKED, "reads an input 'shoe_size'"),
    ("a fixed batch", graph([*_S[:1], node("Sigmoid", ["z"], ["p"])], _OWN, inputs=[port("X", 1, 4)],
     outputs=[port("p", 1, 1)]), NOT_ASKED, "takes 1 rows only"),
    ("no probability", graphs.logistic(after=halves(1.5)), NOT_ASKED, "no probability"),
    ("a negative one", graphs.logistic(after=halves(-2.0)), NOT_ASKED, "no probability"),
    ("NaN", graphs.logistic(after=halves(float("nan"))), NOT_ASKED, "no finite number"),
    ("infinity", graphs.logistic(after=halves(float("inf"))), NOT_ASKED, "no finite number"),
    ("figures that hang on other people", of_all_rows(), NOT_ASKED, "depends on the others"),
    ("more memory than there is", as_large_as_a_disk(), NOT_ASKED, "memory|the graph fails|ended its trial"),
    ("too slow", slow(), {}, "too slow|no answer within its time"),
    ("not additive", graphs.crossed(), {"contributions": {"method": "additive", "background": [graphs.one()],
     "background_words": "somebody"}}, "not additive"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "members", "why"), [one[1:] for one in OPENED], ids=[one[0] for one in OPENED])
def test_a_graph_is_refused_by_its_trial(content: bytes, members: dict, why: str, tmp_path: Path) -> None:
    folder = graphs.folder(tmp_path / "new", content, **members)
    with pytest.raises(ModelError, match=why):
        apart.tried(folder)


def test_an_example_that_the_graph_answers_otherwise_is_refused(tmp_path: Path) -> None:
    """Columns in another order give figures that look like any others: only the makers' own figure tells."""
    wrong = [{"inputs": graphs.one(), "probability": 0.5}]
    folder = graphs.folder(tmp_path / "new", graphs.logistic(), examples=wrong)
    with pytest.raises(ModelError, match=r"the graph says 0\.\d+, model.yaml 0\.500000: look at the order"):
        apart.tried(folder)


def test_a_trial_has_an_end(tmp_path: Path) -> None:
    folder = graphs.folder(tmp_path / "new", graphs.logistic())
    with pytest.raises(ModelError, match="no end of its trial within 0 s"):
        apart.tried(folder, seconds=0.05)


def test_a_process_that_dies_is_a_refusal(tmp_path: Path) -> None:
    """A file of valid fields that make no graph onnxruntime can open."""
    folder = graphs.folder(tmp_path / "new", graph([node("Gemm", ["X", "nowhere"], ["p"])]), **NOT_ASKED)
    with pytest.raises(ModelError, match=r"onnxruntime does not open model\.onnx"):
        apart.tried(folder)


def test_the_trial_is_given_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}

    def run(*_: object, env: dict[str, str], **__: object) -> None:
        given.update(env)
        raise SystemExit

    monkeypatch.setenv("DATABASE_URL", "secret")
    monkeypatch.setattr(apart.subprocess, "run", run)
    with pytest.raises(SystemExit):
        apart.tried(tmp_path)
    assert set(given) == {"PYTHONPATH", "OMP_NUM_THREADS"}


def test_an_input_that_moves_nothing_is_noted(tmp_path: Path) -> None:
    weights = constant("w", [[0.02], [0.5], [0.0], [0.4]])
    found = apart.tried(graphs.folder(tmp_path / "new", graphs.logistic(weights=weights)))
    assert found.notes == (f"haemoglobin moves no figure of {probe.CHUNK} people that were tried",)


def test_a_fixed_number_is_skipped_whole() -> None:
    """Fields of four and of eight bytes, as floats and doubles are kept."""
    from models_onnx.added.protobuf_fields import fields

    content = b"\x0d" + struct.pack("<f", 1.0) + b"\x11" + struct.pack("<d", 2.0) + b"\x18\x07"
    assert [number for number, _ in fields(memoryview(content))] == [1, 2, 3]
