"""What a bundle says of its model: the manifest, the proof, and the shape of scores."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from mlops.records.base import Document, Record
from mlops.records.model import Task

InputType = Literal["string", "float", "integer", "boolean", "datetime"]
Engine = Literal["onnx", "sklearn"]
Label = str | int | float | bool


class Input(Record, frozen=True, kw_only=True):
    """A column that the model takes.

    Attributes:
        type: What a value must be. `float` takes any finite number, `integer` one without a fraction
            (880.0 too), `boolean` true or false, `datetime` an ISO 8601 text.
        nullable: Whether null is a value; a nullable column may also be left out.
        categories: The values that the model was fitted on, for readers. Others are accepted: what an unknown
            category means is decided by the model's own pipeline, not by the server.
    """

    name: str
    type: InputType
    nullable: bool = False
    categories: list[str] | None = None


class Tensor(Record, frozen=True, kw_only=True):
    """An input of the ONNX graph: a matrix [rows, len(columns)] of these columns, in this order."""

    name: str
    columns: list[str]


class BundleManifest(Document, frozen=True, kw_only=True):
    """What is in a bundle.

    Attributes:
        version: MLflow's integer, as text.
        run_id: MLflow's run that trained the model.
        engine: `onnx`, or `sklearn` for a model that cannot be exported.
        engine_reason: Why the slow engine was taken; empty for `onnx`.
        inputs: The columns of a row.
        tensors: How the columns make up the graph's inputs. Empty: each graph input is named as a column
            and has the shape [rows, 1]. One matrix of many columns is scored faster than many of one.
            Null becomes NaN in a float tensor and "" in a string tensor.
        outputs: Role (predictions, probabilities) → name of a graph output. Empty: in order.
        classes: For a classifier, the labels in the order of the probabilities; empty for a regression.
        data: The data version, `data_fingerprint` its content.
        requires: Distribution → exact version that must be installed where the bundle is opened
            (engine `sklearn`: a pickle is only good with the versions that wrote it).
    """

    model: str
    version: str
    run_id: str
    task: Task
    engine: Engine
    engine_reason: str = ""
    inputs: list[Input]
    tensors: list[Tensor] = []
    outputs: dict[str, str] = {}
    classes: list[Label] = []
    data: str = ""
    data_fingerprint: str = ""
    simulated: bool = False
    metrics: dict[str, float] = {}
    requires: dict[str, str] = {}


class Proof(Document, frozen=True, kw_only=True):
    """Held-out rows with the registered model's own answers, computed by MLflow when it was registered.

    Attributes:
        rows: As a client would send them; null for a missing value.
        predictions: One a row: a number, or a class label.
        probabilities: For a classifier, a list a row in the order of the manifest's `classes`.
    """

    rows: list[dict[str, Any]]
    predictions: list[Any]
    probabilities: list[list[float]] | None = None


class Scores(msgspec.Struct, frozen=True, gc=False):
    """Answers to rows, in their order.

    Attributes:
        predictions: Numbers, or class labels.
        probabilities: For a classifier, a list a row in the order of the manifest's `classes`.
        confidence: For a classifier, the largest probability of each row.
    """

    predictions: list[Any]
    probabilities: list[list[float]] | None = None
    confidence: list[float] | None = None
