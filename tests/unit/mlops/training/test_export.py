"""Exports against the estimators' own answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from sklearn import ensemble, linear_model, neighbors
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from mlops.serving import Input
from mlops.training.export import Graph, NotExportableError, to_onnx
from mlops.training.threads import one_thread

INPUTS = [
    Input(name="east", type="float"), Input(name="rooms", type="integer", nullable=True),
    Input(name="place", type="string"),
]


def table(rows: int = 600) -> pd.DataFrame:
    """Coordinates with six decimals: single precision cannot tell neighbours apart."""
    random = np.random.default_rng(2)
    frame = pd.DataFrame({
        "east": -122 + random.integers(0, 400, rows) * 1e-6, "rooms": random.integers(1, 9, rows).astype(float),
        "place": random.choice(["sea", "town"], rows),
    })
    frame["y"] = np.where(np.round((frame.east + 122) * 1e6) % 2 == 0, 100.0, 300.0) + 50 * frame.rooms.to_numpy()
    frame.loc[::7, "rooms"] = np.nan
    return frame


def pipeline(final: Any, encoder: Any = None) -> Pipeline:
    encoder = encoder or OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return Pipeline([
        ("prepare", ColumnTransformer([
            ("numbers", SimpleImputer(strategy="median"), ["east", "rooms"]), ("places", encoder, ["place"]),
        ])),
        ("final", final),
    ])


def fitted(final: Any, frame: pd.DataFrame, target: Any, encoder: Any = None) -> Pipeline:
    with one_thread():
        return pipeline(final, encoder).fit(frame[["east", "rooms", "place"]], target)


def run(graph: Graph, frame: pd.DataFrame, kind: type = np.float64) -> list[Any]:
    session = onnxruntime.InferenceSession(graph.content)
    feeds = {
        tensor.name: frame[tensor.columns].to_numpy(object if tensor.columns == ["place"] else kind)
        for tensor in graph.tensors
    }
    return session.run(list(graph.outputs.values()), feeds)


@pytest.mark.parametrize(
    "final",
    [
        ensemble.HistGradientBoostingRegressor(max_iter=40, random_state=0),
        ensemble.RandomForestRegressor(20, random_state=0, max_depth=8),
        ensemble.ExtraTreesRegressor(20, random_state=0, max_depth=8),
        ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
        linear_model.Ridge(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_regressor_gives_its_own_answers(final: Any) -> None:
    frame = table()
    model = fitted(final, frame, frame.y)
    graph = to_onnx(model, INPUTS, name="m", classifier=False)
    unseen = frame.assign(place="somewhere new", rooms=np.nan)
    for rows in (frame, unseen):
        assert run(graph, rows)[0].ravel() == pytest.approx(model.predict(rows.drop(columns="y")), rel=1e-5)


def test_single_precision_takes_other_branches_here() -> None:
    """Shown red: what the double export is for. Without it this model's answers are far off."""
    frame = table()
    trees = ensemble.HistGradientBoostingRegressor(max_iter=100, random_state=0, min_samples_leaf=1)
    model = fitted(trees, frame, frame.y)
    own = model.predict(frame.drop(columns="y"))
    single = to_onnx(model, INPUTS, name="m", classifier=False, double=False)
    double = to_onnx(model, INPUTS, name="m", classifier=False)
    assert np.abs(run(single, frame, np.float32)[0].ravel() / own - 1).max() > 0.01
    assert np.abs(run(double, frame)[0].ravel() / own - 1).max() < 1e-6


@pytest.mark.parametrize("kind", ["text", "number"])
@pytest.mark.parametrize(
    "final", [linear_model.LogisticRegression(), ensemble.HistGradientBoostingClassifier(max_iter=20)],
    ids=lambda each: type(each).__name__,
)
def test_a_classifier_gives_labels_and_probabilities(final: Any, kind: str) -> None:
    frame = table()
    frame["east"] = np.round(frame.east * 10)
    truth = np.where(frame.y > frame.y.median(), "dear", "cheap") if kind == "text" else (frame.y > 300).to_numpy() * 1
    model = fitted(final, frame, truth)
    graph = to_onnx(model, INPUTS, name="m", classifier=True, double=type(final).__name__ == "LogisticRegression")
    labels, chances = run(graph, frame, np.float64 if len(graph.outputs) and _is_double(graph) else np.float32)
    columns = frame.drop(columns="y")
    assert labels.tolist() == model.predict(columns).tolist()
    assert chances == pytest.approx(model.predict_proba(columns), abs=1e-5)


def _is_double(graph: Graph) -> bool:
    return onnxruntime.InferenceSession(graph.content).get_inputs()[0].type == "tensor(double)"


def test_numbers_come_in_as_one_matrix_where_the_graph_joins_them() -> None:
    frame = table()
    graph = to_onnx(fitted(linear_model.Ridge(), frame, frame.y), INPUTS, name="m", classifier=False)
    assert [tensor.columns for tensor in graph.tensors] == [["east", "rooms"], ["place"]]


def test_numbers_used_twice_stay_apart() -> None:
    frame = table()
    columns = ["east", "rooms"]
    both = ColumnTransformer([
        ("scaled", StandardScaler(), ["east"]), ("filled", SimpleImputer(), columns),
        ("again", SimpleImputer(), ["rooms"]),
    ])
    model = Pipeline([("both", both), ("final", linear_model.Ridge())]).fit(frame[columns], frame.y)
    graph = to_onnx(model, INPUTS[:2], name="m", classifier=False)
    assert run(graph, frame)[0].ravel() == pytest.approx(model.predict(frame[columns]), rel=1e-5)


def test_the_same_model_gives_the_same_bytes() -> None:
    frame = table()
    model = fitted(ensemble.HistGradientBoostingRegressor(max_iter=5, random_state=0), frame, frame.y, OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1
    ))
    first, second = (to_onnx(model, INPUTS, name="m", classifier=False).content for _ in range(2))
    assert first == second


def test_what_onnx_does_not_know_is_said() -> None:
    class Own(linear_model.Ridge):
        pass

    frame = table()
    with pytest.raises(NotExportableError, match="Own"):
        to_onnx(fitted(Own(), frame, frame.y), INPUTS, name="m", classifier=False)
    dated = [*INPUTS, Input(name="day", type="datetime")]
    with pytest.raises(NotExportableError, match="'day'"):
        to_onnx(fitted(neighbors.KNeighborsRegressor(), frame, frame.y), dated, name="m", classifier=False)
