"""From a fitted scikit-learn pipeline to an ONNX graph that computes in double precision.

skl2onnx 1.20 has gaps that matter here; each is closed by a converter of our own for this call only,
nothing is patched:

- Trees: attributes of HistGradientBoosting are `np.uint32` and bool, which onnx refuses; and trees are
  written for single precision, where a value between two close thresholds takes another branch (a third of
  the value off, measured on coordinates with six decimals). Version 3 of TreeEnsembleRegressor compares in double.
- SimpleImputer: ONNX's Imputer knows no double.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlops.serving import Input, Tensor

_OPSETS = {"": 18, "ai.onnx.ml": 3}
_TREES = (
    "HistGradientBoostingRegressor", "HistGradientBoostingClassifier", "GradientBoostingRegressor",
    "RandomForestRegressor", "ExtraTreesRegressor", "DecisionTreeRegressor",
)
_NUMBERS = "numbers"
_WEIGHTS = ("nodes_values", "nodes_hitrates", "target_weights", "base_values")


class NotExportableError(Exception):
    """The pipeline has a part that has no counterpart in ONNX; caught where the bundle is made."""


@dataclass(frozen=True, slots=True)
class Graph:
    """An exported model: its bytes, and how columns and outputs are named in it."""

    content: bytes
    tensors: list[Tensor]
    outputs: dict[str, str]


def to_onnx(model: Any, inputs: Sequence[Input], *, name: str, classifier: bool, double: bool = True) -> Graph:
    """The ONNX graph of a fitted estimator or pipeline that takes a frame of these columns.

    Args:
        name: Of the graph; a fixed one, so that the same model gives the same bytes.
        double: Numbers in double precision; False for parts that exist in single precision only.

    Raises:
        NotExportableError: a step, or the type of an input, has no counterpart.
    """
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

    number = DoubleTensorType if double else FloatTensorType
    types = {"float": number, "integer": number, "boolean": number, "string": StringTensorType}
    odd = [each.name for each in inputs if each.type not in types]
    if odd:
        raise NotExportableError(f"the column {odd[0]!r} has a type that ONNX does not know")
    final = model.steps[-1][1] if hasattr(model, "steps") else model
    quiet = logging.getLogger("skl2onnx")
    quiet.setLevel(logging.ERROR)
    try:
        converted = convert_sklearn(
            model, name=name, initial_types=[(each.name, types[each.type]([None, 1])) for each in inputs],
            options={id(final): {"zipmap": False}} if classifier else None, target_opset=dict(_OPSETS),
            custom_conversion_functions=_converters(double),
        )
    except Exception as error:  # skl2onnx raises whatever its converters meet
        said = str(error).partition("\n")[0][:200]
        raise NotExportableError(f"skl2onnx: {type(error).__name__}: {said}") from error
    numbers = [each.name for each in inputs if each.type != "string"]
    columns = _join_numbers(converted.graph, numbers)
    rest = [each.name for each in inputs if each.name not in columns]
    tensors = [Tensor(name=_NUMBERS, columns=columns)] if columns else []
    outputs = [each.name for each in converted.graph.output]
    roles = ("predictions", "probabilities") if classifier else ("predictions",)
    if len(outputs) < len(roles):
        raise NotExportableError("the graph has no probabilities")
    return Graph(
        converted.SerializeToString(), tensors + [Tensor(name=each, columns=[each]) for each in rest],
        dict(zip(roles, outputs, strict=False)),
    )


def _join_numbers(graph: Any, numbers: list[str]) -> list[str]:
    """Let numbers come in as one matrix, where the graph begins by joining them; returns its columns.

    A graph of thirty inputs spends more time on taking them than on computing.
    """
    for node in graph.node:
        columns = list(node.input)
        if node.op_type != "Concat" or len(columns) < 2 or not set(columns) <= set(numbers):
            continue
        uses = [each for other in graph.node for each in other.input if each in set(columns)]
        if len(uses) != len(columns) or _NUMBERS in {each.name for each in graph.input}:
            return []
        joined = node.output[0]
        first = next(each for each in graph.input if each.name == columns[0])
        first.name = _NUMBERS
        first.type.tensor_type.shape.dim[1].dim_value = len(columns)
        for other in graph.node:
            for index, each in enumerate(other.input):
                if each == joined:
                    other.input[index] = _NUMBERS
        graph.node.remove(node)
        for value in [each for each in graph.input if each.name in columns]:
            graph.input.remove(value)
        return columns
    return []


def _converters(double: bool) -> dict[type, Callable[..., None]]:
    """Estimator type → our converter around skl2onnx's own."""
    from skl2onnx.common._registration import get_converter
    from sklearn import ensemble, tree
    from sklearn.impute import SimpleImputer

    made: dict[type, Callable[..., None]] = {}
    for name in _TREES:
        kind = getattr(ensemble, name, None) or getattr(tree, name)
        made[kind] = _tree_converter(get_converter(f"Sklearn{name}"))
    if double:
        made[SimpleImputer] = _imputer_converter(get_converter("SklearnImputer"))
    return made


def _tree_converter(original: Callable[..., None]) -> Callable[..., None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        original(scope, operator, _TreeContainer(scope, container))

    return convert


class _TreeContainer:
    """skl2onnx's container, which corrects the tree nodes that a converter adds."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, op_type: str, inputs: Any, outputs: Any, **options: Any) -> None:
        if not op_type.startswith("TreeEnsemble"):
            self._container.add_node(op_type, inputs, outputs, **options)
            return
        import numpy as np

        options = {key: _plain_integers(value) for key, value in options.items()}
        weights = options.get("target_weights")
        if op_type != "TreeEnsembleRegressor" or getattr(weights, "dtype", None) != np.float64:
            self._container.add_node(op_type, inputs, outputs, **options)
            return
        self._add_double(inputs, outputs, options)

    def _add_double(self, inputs: Any, outputs: Any, options: dict[str, Any]) -> None:
        """The operator's version 3: thresholds, weights and input in double; its output is always single."""
        import numpy as np
        from onnx import TensorProto, helper

        for key in _WEIGHTS:
            values = np.asarray(options.pop(key, []), dtype=np.float64).ravel()
            if values.size:
                name = f"{key}_as_tensor"
                options[name] = helper.make_tensor(name, TensorProto.DOUBLE, values.shape, values)
        options |= {"op_domain": "ai.onnx.ml", "op_version": 3}
        single = self._scope.get_unique_variable_name("single")
        self._container.add_node("TreeEnsembleRegressor", inputs, single, **options)
        self._container.add_node(
            "Cast", single, outputs, op_version=13, to=TensorProto.DOUBLE,
            name=self._scope.get_unique_operator_name("Cast"),
        )


def _plain_integers(value: Any) -> Any:
    import numpy as np

    if isinstance(value, list) and value and isinstance(value[0], int | np.integer | np.bool_):
        return [int(each) for each in value]
    return value


def _imputer_converter(original: Callable[..., None]) -> Callable[..., None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        import numpy as np
        from onnx import TensorProto
        from skl2onnx.common.data_types import DoubleTensorType

        imputer, source = operator.raw_operator, operator.inputs[0]
        statistics = np.asarray(imputer.statistics_)
        plain = statistics.dtype.kind == "f" and np.isfinite(statistics).all() and not imputer.add_indicator
        gap_is_nan = imputer.missing_values != imputer.missing_values
        if not (plain and gap_is_nan and isinstance(source.type, DoubleTensorType)):
            original(scope, operator, container)
            return
        missing, value = scope.get_unique_variable_name("missing"), scope.get_unique_variable_name("value")
        container.add_initializer(value, TensorProto.DOUBLE, [1, len(statistics)], statistics.tolist())
        container.add_node(
            "IsNaN", source.full_name, missing, op_version=13, name=scope.get_unique_operator_name("IsNaN")
        )
        container.add_node(
            "Where", [missing, value, source.full_name], operator.outputs[0].full_name, op_version=9,
            name=scope.get_unique_operator_name("Where"),
        )

    return convert
