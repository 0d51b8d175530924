from __future__ import annotations

import pickle
from importlib.metadata import version
from typing import Any

import pytest
from onnx import TensorProto, helper

from mlops.errors import IntegrityError, MissingInputError
from mlops.serving import BundleManifest, Input, InvalidRowsError, Tensor
from mlops.serving.engines import OnnxEngine, open_engine
from mlops.serving.inputs import RowReader
from tests.unit.mlops.serving.making import NUMBERS, classifier, classifying, linear, manifest, model


def score(wanted: BundleManifest, content: bytes, rows: list[dict[str, Any]]) -> Any:
    engine = open_engine(wanted, content)
    return engine.score(RowReader(wanted.inputs, engine.order, engine.float32).from_python(rows))


def test_one_matrix_of_many_columns() -> None:
    swapped = manifest(tensors=[Tensor(name="numbers", columns=["age", "size"])])
    assert score(swapped, linear(), [{"size": 1, "age": 10}]).predictions == [23.0]


def test_null_is_nan_for_the_graph() -> None:
    nodes = [helper.make_node("IsNaN", ["age"], ["is"]), helper.make_node("Cast", ["is"], ["y"], to=TensorProto.DOUBLE)]
    content = model(nodes, [("age", TensorProto.DOUBLE, [None, 1])], [("y", TensorProto.DOUBLE, [None, 1])])
    wanted = manifest(inputs=NUMBERS[1:], tensors=[])
    assert score(wanted, content, [{"age": None}, {"age": 3}, {}]).predictions == [1.0, 0.0, 1.0]


def test_one_thread_is_used() -> None:
    options = OnnxEngine(manifest(), linear())._run.__self__.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)


@pytest.mark.parametrize(
    ("wanted", "content"),
    [
        (manifest(tensors=[Tensor(name="other", columns=["size", "age"])]), linear()),
        (manifest(tensors=[Tensor(name="numbers", columns=["size"])]), linear()),
        (manifest(tensors=[Tensor(name="numbers", columns=["size", "nobody"])]), linear()),
        (manifest(inputs=[*NUMBERS, Input(name="more", type="float")]), linear()),
        (manifest(inputs=[NUMBERS[0], Input(name="age", type="string")]), linear()),
        (manifest(outputs={"predictions": "nobody"}), linear()),
        (classifying(outputs={"predictions": "label"}, classes=["no", "yes"]), linear()),
        (manifest(inputs=[Input(name="n", type="integer", nullable=True)], tensors=[]), model(
            [helper.make_node("Identity", ["n"], ["y"])], [("n", TensorProto.INT64, [None, 1])],
            [("y", TensorProto.INT64, [None, 1])],
        )),
        (manifest(), b"no graph"),
    ],
    ids=["no such input", "a column too few", "no such column", "a column too many", "text for a number",
         "no such output", "a regression as classifier", "null for an integer", "no graph"],
)
def test_a_graph_that_is_not_what_the_manifest_says_is_refused(wanted: BundleManifest, content: bytes) -> None:
    with pytest.raises(IntegrityError):
        open_engine(wanted, content)


@pytest.mark.parametrize(("wanted", "content", "bad"), [
    (manifest(), linear(), {"size": 1.7e308, "age": 1}), (manifest(inputs=NUMBERS), linear(), {"size": 1.0}),
], ids=["overflow", "NaN"])
def test_an_answer_that_is_not_finite_names_its_row(
    wanted: BundleManifest, content: bytes, bad: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRowsError) as caught:
        score(wanted, content, [{"size": 1, "age": 1}, bad])
    assert [(each.row, each.type) for each in caught.value.problems] == [(1, "finite")]


def test_finite_answers_whose_sum_overflows_are_answers() -> None:
    rows = [{"size": 8e307, "age": 0}] * 3
    assert score(manifest(), linear(), rows).predictions == [1.6e308] * 3


def test_a_classifier_without_an_answer_names_its_row() -> None:
    nodes = [
        helper.make_node("Log", ["size"], ["p"]), helper.make_node("Concat", ["p", "p"], ["probabilities"], axis=1),
        helper.make_node("Identity", ["where"], ["label"]),
    ]
    content = model(
        nodes, [("size", TensorProto.DOUBLE, [None, 1]), ("where", TensorProto.STRING, [None, 1])],
        [("label", TensorProto.STRING, [None, 1]), ("probabilities", TensorProto.DOUBLE, [None, 2])],
    )
    with pytest.raises(InvalidRowsError) as caught:
        score(classifying(), content, [{"size": 1.0}, {"size": -1.0}])
    assert [each.row for each in caught.value.problems] == [1]
    assert score(classifying(), classifier(), [{"size": 1.0}]).predictions == ["yes"]


class Pipeline:
    """Stands where a scikit-learn pipeline would: the engine only calls predict and predict_proba."""

    def predict(self, frame: Any) -> Any:
        return (frame["size"] * 2 + frame["age"].fillna(0)).to_numpy()


def test_a_pipeline_that_could_not_be_exported_scores_a_frame() -> None:
    slow = manifest(engine="sklearn", tensors=[])
    rows = [{"size": 2, "age": None}, {"size": 1.5, "age": 4}]
    assert score(slow, pickle.dumps(Pipeline()), rows).predictions == [4.0, 7.0]


def test_frames_have_the_types_of_the_columns() -> None:
    inputs = [
        Input(name="size", type="float"), Input(name="age", type="integer"), Input(name="new", type="boolean"),
        Input(name="when", type="datetime"), Input(name="where", type="string", nullable=True),
    ]
    slow = manifest(engine="sklearn", tensors=[], inputs=inputs)
    engine = open_engine(slow, pickle.dumps(Types()))
    row = {"size": 1, "age": 1, "new": True, "when": "2020-01-01T00:00:00", "where": None}
    with pytest.raises(ValueError, match="float64 int64 bool datetime64.* object"):
        engine.score(RowReader(inputs, engine.order).from_python([row]))


class Types:
    """Tells the types of the columns."""

    def predict(self, frame: Any) -> Any:
        raise ValueError(" ".join(str(kind) for kind in frame.dtypes))


def test_a_pickle_is_only_opened_with_the_versions_that_wrote_it() -> None:
    assert open_engine(manifest(engine="sklearn", requires={"pandas": version("pandas")}), pickle.dumps(Pipeline()))
    for requires in ({"pandas": "0.1"}, {"no-such-distribution": "1"}):
        with pytest.raises(MissingInputError, match="written with"):
            open_engine(manifest(engine="sklearn", requires=requires), pickle.dumps(Pipeline()))


@pytest.mark.parametrize("content", [b"", b"no pickle", b"cno_such_module\nname\n."])
def test_a_pickle_that_cannot_be_read_is_a_clear_error(content: bytes) -> None:
    with pytest.raises((IntegrityError, MissingInputError)):
        open_engine(manifest(engine="sklearn"), content)
