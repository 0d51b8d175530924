"""What turns rows into scores: ONNX Runtime, or the model's own pipeline where it could not be exported."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mlops.errors import IntegrityError, MissingInputError
from mlops.serving.inputs import MOST_PROBLEMS, InvalidRowsError, Problem, Row
from mlops.serving.manifest import BundleManifest, Scores, Tensor

_ELEMENTS = {
    "tensor(double)": "float64", "tensor(float)": "float32", "tensor(int64)": "int64",
    "tensor(bool)": "bool", "tensor(string)": "object",
}
_TAKEN_BY = {
    "float64": {"float", "integer", "boolean"}, "float32": {"float", "integer", "boolean"},
    "int64": {"integer", "boolean"}, "bool": {"boolean"}, "object": {"string"},
}


class Engine(Protocol):
    """Scores rows.

    Attributes:
        order: The columns of a row, in the order that `score` takes them.
        float32: Those of them that end in single precision.
    """

    order: list[str]
    float32: list[str]

    def score(self, rows: list[Row]) -> Scores:
        """One answer a row.

        Raises:
            InvalidRowsError: the model has no finite answer to a row.
        """


class OnnxEngine:
    """ONNX Runtime on one thread: for single rows a second thread costs more than it brings.

    Raises:
        IntegrityError: the graph cannot be loaded, or does not take what the manifest says.
    """

    def __init__(self, manifest: BundleManifest, model: bytes) -> None:
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base but Exception
            raise IntegrityError(
                f"the model cannot be loaded by ONNX Runtime {onnxruntime.__version__}: {error}",
                where=f"{manifest.model} version {manifest.version}",
                mend="register the model again; its bundle is written anew",
            ) from error
        self._array = numpy.array
        self._run: Callable[[list[str], dict[str, Any]], list[Any]] = session.run
        self.order: list[str] = []
        self.float32: list[str] = []
        # Graph input, which values of a row (None: all of them), element type (None: text).
        self._feeds: list[tuple[str, slice | None, Any]] = []
        graph = {node.name: node.type for node in session.get_inputs()}
        for tensor in manifest.tensors or [Tensor(name=name, columns=[name]) for name in graph]:
            self._add(manifest, tensor, graph.pop(tensor.name, None))
        left = [column.name for column in manifest.inputs if column.name not in self.order]
        if graph or left:
            raise _disagrees(manifest, f"graph inputs {sorted(graph)} and columns {left} have no partner")
        self._outputs = self._choose_outputs(manifest, [node.name for node in session.get_outputs()])
        self._classes = manifest.classes
        if len(self._feeds) == 1:
            self._feeds = [(self._feeds[0][0], None, self._feeds[0][2])]

    def _add(self, manifest: BundleManifest, tensor: Tensor, kind: str | None) -> None:
        import numpy

        element = _ELEMENTS.get(kind or "")
        columns = {column.name: column for column in manifest.inputs}
        if element is None:
            raise _disagrees(manifest, f"the graph's input {tensor.name!r} has the type {kind}")
        for name in tensor.columns:
            column = columns.get(name)
            if column is None or column.type not in _TAKEN_BY[element]:
                raise _disagrees(manifest, f"the column {name!r} does not fit an input of type {kind}")
            if column.nullable and element in ("int64", "bool"):
                raise _disagrees(manifest, f"the column {name!r} may be null, a {kind} cannot")
        start = len(self.order)
        self.order += tensor.columns
        if element == "float32":
            self.float32 += tensor.columns
        kind_of_array = None if element == "object" else numpy.dtype(element)
        self._feeds.append((tensor.name, slice(start, len(self.order)), kind_of_array))

    def _choose_outputs(self, manifest: BundleManifest, names: list[str]) -> list[str]:
        roles = ["predictions", "probabilities"] if manifest.classes else ["predictions"]
        wanted = [manifest.outputs[role] for role in roles if role in manifest.outputs] or names[: len(roles)]
        if len(wanted) < len(roles) or not set(wanted) <= set(names):
            raise _disagrees(manifest, f"the graph gives {names}, wanted are {roles} as {manifest.outputs}")
        return wanted

    def score(self, rows: list[Row]) -> Scores:
        """See `Engine.score`."""
        feeds = {}
        for name, where, kind in self._feeds:
            if kind is None:
                feeds[name] = self._texts(rows, where)
            else:
                feeds[name] = self._array(rows if where is None else [row[where] for row in rows], kind)
        outputs = self._run(self._outputs, feeds)
        answers = outputs[0].ravel().tolist()
        return _labelled(answers, outputs[1]) if self._classes else _numbers(answers)

    def _texts(self, rows: list[Row], where: slice | None) -> Any:
        parts = rows if where is None else [row[where] for row in rows]
        return self._array([["" if value is None else value for value in part] for part in parts], object)


class PipelineEngine:
    """The model's own scikit-learn pipeline, unpickled: some thousand times slower for a single row.

    The bytes must have been checked before: a pickle runs code.

    Raises:
        MissingInputError: a distribution that the pickle needs is absent or has another version.
        IntegrityError: the pickle cannot be read.
    """

    float32: list[str] = []

    def __init__(self, manifest: BundleManifest, model: bytes) -> None:
        import pickle

        _expect_distributions(manifest)
        try:
            import pandas

            self._model = pickle.loads(model)  # its checksum was verified
        except ImportError as error:
            raise MissingInputError(
                f"the model's own pipeline needs a module that is not installed: {error}",
                where=f"{manifest.model} version {manifest.version}",
                mend="add it to the service's requirements, or export the model for ONNX Runtime",
            ) from error
        except Exception as error:  # a pickle may raise anything
            raise IntegrityError(
                f"the model's own pipeline cannot be read: {type(error).__name__}: {error}",
                where=f"{manifest.model} version {manifest.version}",
                mend="register the model again; its bundle is written anew",
            ) from error
        self._pandas = pandas
        self.order = [column.name for column in manifest.inputs]
        self._inputs = manifest.inputs
        self._classes = manifest.classes

    def score(self, rows: list[Row]) -> Scores:
        """See `Engine.score`."""
        frame = self._pandas.DataFrame(
            {
                column.name: self._series([row[position] for row in rows], column.type)
                for position, column in enumerate(self._inputs)
            }
        )
        answers = self._model.predict(frame).ravel().tolist()
        return _labelled(answers, self._model.predict_proba(frame)) if self._classes else _numbers(answers)

    def _series(self, values: list[Any], kind: str) -> Any:
        if kind == "datetime":
            return self._pandas.to_datetime(self._pandas.Series(values, dtype="object"))
        if kind == "string":
            return self._pandas.Series(values, dtype="object")
        if None in values:
            return self._pandas.Series(values, dtype="object" if kind == "boolean" else "float64")
        kinds = {"float": "float64", "integer": "int64", "boolean": "bool"}
        return self._pandas.Series(values, dtype=kinds[kind])


def open_engine(manifest: BundleManifest, model: bytes) -> Engine:
    """The engine that the manifest names, with the model loaded."""
    return OnnxEngine(manifest, model) if manifest.engine == "onnx" else PipelineEngine(manifest, model)


def _numbers(answers: list[float]) -> Scores:
    total = sum(answers)
    if total - total != 0.0:  # NaN or infinity is among them, or their sum overflows
        _expect_finite(answers)
    return Scores(answers)


def _labelled(labels: list[Any], probabilities: Any) -> Scores:
    listed = probabilities.tolist()
    sums = [sum(row) for row in listed]
    total = sum(sums)
    if total - total != 0.0:
        _expect_finite(sums)
    return Scores(labels, listed, [max(row) for row in listed])


def _expect_finite(values: Sequence[float]) -> None:
    problems = [
        Problem(index, None, "finite", "the model has no finite answer to this row")
        for index, value in enumerate(values) if not math.isfinite(value)
    ]
    if problems:
        raise InvalidRowsError(problems[:MOST_PROBLEMS], len(problems))


def _disagrees(manifest: BundleManifest, message: str) -> IntegrityError:
    return IntegrityError(
        f"manifest and model do not agree: {message}", where=f"{manifest.model} version {manifest.version}",
        mend="register the model again; its bundle is written anew",
    )


def _expect_distributions(manifest: BundleManifest) -> None:
    from importlib.metadata import PackageNotFoundError, version

    for name, wanted in manifest.requires.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            raise MissingInputError(
                f"its own pipeline was written with {name} {wanted}, here it is {found}",
                where=f"{manifest.model} version {manifest.version}",
                mend=f"install {name}=={wanted} or register the model again with {name} {found}",
            )
