"""Small bundles, made with ONNX's own helper: nothing is trained."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto, helper

from mlops.serving import BundleManifest, Input, Proof, Tensor

NUMBERS = [Input(name="size", type="float"), Input(name="age", type="integer", nullable=True)]


def model(nodes: list[Any], inputs: list[tuple[str, int, list[Any]]], outputs: list[tuple[str, int, list[Any]]],
          constants: list[Any] | None = None) -> bytes:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs], constants,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    content: bytes = made.SerializeToString()
    return content


def linear(kind: int = TensorProto.DOUBLE, weights: tuple[float, ...] = (2.0, 3.0)) -> bytes:
    """predictions = numbers @ weights"""
    shape = [len(weights), 1]
    return model(
        [helper.make_node("MatMul", ["numbers", "weights"], ["predictions"])],
        [("numbers", kind, [None, len(weights)])], [("predictions", kind, [None, 1])],
        [helper.make_tensor("weights", kind, shape, weights)],
    )


def classifier() -> bytes:
    """probability of "yes" = sigmoid(size), label from it; and "where" must be fed although it changes nothing"""
    constants = [
        helper.make_tensor("one", TensorProto.DOUBLE, [1], [1.0]),
        helper.make_tensor("half", TensorProto.DOUBLE, [1], [0.5]),
        helper.make_tensor("yes", TensorProto.STRING, [1], [b"yes"]),
        helper.make_tensor("no", TensorProto.STRING, [1], [b"no"]),
    ]
    nodes = [
        helper.make_node("Sigmoid", ["size"], ["p"]),
        helper.make_node("Sub", ["one", "p"], ["q"]),
        helper.make_node("Concat", ["q", "p"], ["probabilities"], axis=1),
        helper.make_node("Greater", ["p", "half"], ["is"]),
        helper.make_node("Where", ["is", "yes", "no"], ["label"]),
        helper.make_node("Identity", ["where"], ["same"]),
    ]
    return model(
        nodes, [("size", TensorProto.DOUBLE, [None, 1]), ("where", TensorProto.STRING, [None, 1])],
        [("label", TensorProto.STRING, [None, 1]), ("probabilities", TensorProto.DOUBLE, [None, 2]),
         ("same", TensorProto.STRING, [None, 1])],
        constants,
    )


def manifest(**changes: Any) -> BundleManifest:
    fields: dict[str, Any] = {
        "model": "houses", "version": "3", "run_id": "run", "task": "regression", "engine": "onnx", "inputs": NUMBERS,
        "tensors": [Tensor(name="numbers", columns=["size", "age"])],
    }
    return BundleManifest(**fields | changes)


def classifying(**changes: Any) -> BundleManifest:
    return manifest(**{
        "model": "lab", "task": "classification", "classes": ["no", "yes"], "tensors": [],
        "inputs": [Input(name="size", type="float"), Input(name="where", type="string", nullable=True)],
        "outputs": {"predictions": "label", "probabilities": "probabilities"},
    } | changes)


PROOF = Proof(rows=[{"size": 1.0, "age": 1}, {"size": 2.5, "age": 0}], predictions=[5.0, 5.0])
