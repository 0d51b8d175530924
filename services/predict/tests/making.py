"""Small bundles, made with ONNX's own helper: nothing is trained."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from onnx import TensorProto, helper

from mlops.serving import BundleManifest, FolderStore, Input, Proof, Tensor, write_bundle

HOUSES = [
    Input(name="size", type="float"), Input(name="age", type="float", nullable=True),
    Input(name="rooms", type="integer"), Input(name="where", type="string", categories=["INLAND", "ISLAND"]),
]
HOUSE: dict[str, Any] = {"size": 2.0, "age": None, "rooms": 3, "where": "INLAND"}


def regression(factor: float) -> bytes:
    """factor * size + rooms, plus 1000 where the age is null and 0.5 on an island."""
    constants = [
        helper.make_tensor("weights", TensorProto.DOUBLE, [3, 1], [factor, 1.0, 1000.0]),
        helper.make_tensor("first", TensorProto.INT64, [2], [0, 2]),
        helper.make_tensor("second", TensorProto.INT64, [1], [1]),
    ]
    nodes = [
        helper.make_node("Gather", ["numbers", "first"], ["plain"], axis=1),
        helper.make_node("Gather", ["numbers", "second"], ["age"], axis=1),
        helper.make_node("IsNaN", ["age"], ["isnan"]),
        helper.make_node("Cast", ["isnan"], ["gap"], to=TensorProto.DOUBLE),
        helper.make_node("Concat", ["plain", "gap"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["number"]),
        helper.make_node(
            "LabelEncoder", ["where"], ["code"], domain="ai.onnx.ml", keys_strings=["ISLAND"], values_floats=[0.5],
            default_float=0.0,
        ),
        helper.make_node("Cast", ["code"], ["island"], to=TensorProto.DOUBLE),
        helper.make_node("Add", ["number", "island"], ["predictions"]),
    ]
    return _model(
        nodes, [("numbers", TensorProto.DOUBLE, [None, 3]), ("where", TensorProto.STRING, [None, 1])],
        [("predictions", TensorProto.DOUBLE, [None, 1])], constants,
    )


def classifier() -> bytes:
    """The probability of "malignant" is sigmoid(radius)."""
    constants = [
        helper.make_tensor("one", TensorProto.DOUBLE, [1], [1.0]),
        helper.make_tensor("half", TensorProto.DOUBLE, [1], [0.5]),
        helper.make_tensor("malignant", TensorProto.STRING, [1], [b"malignant"]),
        helper.make_tensor("benign", TensorProto.STRING, [1], [b"benign"]),
    ]
    nodes = [
        helper.make_node("Sigmoid", ["radius"], ["p"]),
        helper.make_node("Sub", ["one", "p"], ["q"]),
        helper.make_node("Concat", ["q", "p"], ["probabilities"], axis=1),
        helper.make_node("Greater", ["p", "half"], ["is"]),
        helper.make_node("Where", ["is", "malignant", "benign"], ["label"]),
    ]
    return _model(
        nodes, [("radius", TensorProto.DOUBLE, [None, 1])],
        [("label", TensorProto.STRING, [None, 1]), ("probabilities", TensorProto.DOUBLE, [None, 2])], constants,
    )


class SlowPipeline:
    """Stands where a scikit-learn pipeline would; pickled by name, so it is found where the tests are."""

    def predict(self, frame: Any) -> Any:
        """Twice the size."""
        return frame["size"].to_numpy() * 2


def houses(folder: Path, version: str = "3", factor: float = 10.0) -> str:
    """Write the bundle of a version of houses into the store and return its checksum."""
    manifest = BundleManifest(
        model="houses", version=version, run_id="run", task="regression", engine="onnx", inputs=HOUSES,
        tensors=[Tensor(name="numbers", columns=["size", "age", "rooms"]), Tensor(name="where", columns=["where"])],
        data="abc", simulated=True,
    )
    proof = Proof(rows=[HOUSE], predictions=[factor * 2.0 + 1003.0])
    return write_bundle(FolderStore(folder).path("houses", version), manifest, regression(factor), proof)


def lab(folder: Path) -> str:
    """Write the bundle of the classifier."""
    manifest = BundleManifest(
        model="lab", version="7", run_id="run", task="classification", engine="onnx",
        inputs=[Input(name="radius", type="float")], classes=["benign", "malignant"],
        outputs={"predictions": "label", "probabilities": "probabilities"},
    )
    return write_bundle(FolderStore(folder).path("lab", "7"), manifest, classifier(), Proof(
        rows=[{"radius": 0.0}], predictions=["benign"], probabilities=[[0.5, 0.5]],
    ))


def slow(folder: Path) -> str:
    """Write the bundle of a model that could not be exported."""
    manifest = BundleManifest(
        model="slow", version="1", run_id="run", task="regression", engine="sklearn",
        inputs=[Input(name="size", type="float")],
    )
    proof = Proof(rows=[{"size": 2.0}], predictions=[4.0])
    return write_bundle(FolderStore(folder).path("slow", "1"), manifest, pickle.dumps(SlowPipeline()), proof)


def write_list(path: Path, models: dict[str, tuple[str, str]]) -> None:
    """Write a release.yaml that lists NAME: (version, checksum)."""
    lines = [
        f"  {name}: {{version: '{version}', sha256: '{sha256}'}}" for name, (version, sha256) in models.items()
    ]
    path.write_text("\n".join(["images: {predict: {build: 1}}", "models:", *lines]) + "\n")


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> bytes:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs], constants,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return content
